#Requires -Version 5.1

<#
.SYNOPSIS
Installs containerd-shim-lcow-v2 on a Windows host, or removes it.

.DESCRIPTION
Copies the executable into the folder of containerd and the boot files (kernel and
root file system of the virtual machines) into the folder LinuxBootFiles beside it.
It can be run again at any time: what is there already is left alone. containerd's
configuration and service are touched only when asked for. Needs an elevated prompt.

.PARAMETER Executable
The executable to install. Default: containerd-shim-lcow-v2.exe in ..\dist or beside
this script.

.PARAMETER BootFiles
Folder with vmlinux (or kernel) and rootfs.vhd (or initrd.img). Without it no boot
files are copied.

.PARAMETER Destination
Folder of containerd.exe.

.PARAMETER Config
containerd's configuration.

.PARAMETER AddRuntime
Adds the runtime "lcow" to the configuration. Without it the tables are printed.

.PARAMETER RestartService
Restarts the service containerd at the end.

.PARAMETER Uninstall
Removes what this script has installed.

.EXAMPLE
.\install.ps1 -BootFiles C:\boot -AddRuntime -RestartService

.EXAMPLE
.\install.ps1 -Uninstall -RestartService
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Executable,
    [string] $BootFiles,
    [string] $Destination = (Join-Path $env:ProgramFiles 'containerd'),
    [string] $Config = (Join-Path $env:ProgramFiles 'containerd\config.toml'),
    [switch] $AddRuntime,
    [switch] $RestartService,
    [switch] $Uninstall
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$name = 'containerd-shim-lcow-v2.exe'
$target = Join-Path $Destination $name
$bootTarget = Join-Path $Destination 'LinuxBootFiles'
$begin = '# lcow-shim: begin'
$end = '# lcow-shim: end'

function Assert-Elevated {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = [Security.Principal.WindowsPrincipal] $identity
    $administrator = [Security.Principal.WindowsBuiltInRole]::Administrator
    if (-not $principal.IsInRole($administrator)) {
        throw 'Cannot install: this prompt is not elevated. Run it as administrator.'
    }
}

function Find-Executable {
    if ($Executable) { return (Resolve-Path -LiteralPath $Executable).Path }
    foreach ($folder in (Join-Path $PSScriptRoot '..\dist'), $PSScriptRoot) {
        $candidate = Join-Path $folder $name
        if (Test-Path -LiteralPath $candidate -PathType Leaf) { return $candidate }
    }
    throw "Cannot find ${name}: name it with -Executable, or run 'deno task compile' first."
}

function Assert-BootFiles {
    foreach ($choice in @('vmlinux', 'kernel'), @('rootfs.vhd', 'initrd.img')) {
        $found = $choice | Where-Object { Test-Path -LiteralPath (Join-Path $BootFiles $_) }
        if (-not $found) {
            throw "Cannot use boot files in '$BootFiles': it has no $($choice -join ' or ')."
        }
    }
}

# Copies a file unless the target is the same already.
function Copy-Changed([string] $From, [string] $To) {
    if (Test-Path -LiteralPath $To -PathType Leaf) {
        $hashes = Get-FileHash -Algorithm SHA256 -LiteralPath $From, $To
        if ($hashes[0].Hash -eq $hashes[1].Hash) {
            Write-Host "Up to date: $To"
            return
        }
    }
    if (-not $PSCmdlet.ShouldProcess($To, 'Copy')) { return }
    try {
        Copy-Item -LiteralPath $From -Destination $To -Force
    } catch [IO.IOException] {
        throw "Cannot write '$To': $($_.Exception.Message) Stop the containers that use it, then run this again."
    }
    Write-Host "Copied: $To"
}

# Writes text as containerd reads it: UTF-8 without a mark, the old text kept beside it.
function Set-ConfigText([string] $Text) {
    if (-not $PSCmdlet.ShouldProcess($Config, 'Change')) { return }
    Copy-Item -LiteralPath $Config -Destination "$Config.before-lcow" -Force
    [IO.File]::WriteAllText($Config, $Text)
    Write-Host "Changed: $Config (before: $Config.before-lcow)"
}

# The tables for a version of the configuration.
function Get-RuntimeTables([int] $Version) {
    $text = Get-Content -Raw -LiteralPath (Join-Path $PSScriptRoot 'containerd-config.toml')
    foreach ($part in $text -split '(?m)^# (?=version = \d)') {
        if ($part -match "^version = $Version\b[^\n]*\n") {
            return $part.Substring($Matches[0].Length).Trim()
        }
    }
    throw "Cannot add the runtime: '$Config' has version $Version, and there are tables for 2 and 3 only."
}

function Get-ConfigVersion([string] $Text) {
    if ($Text -match '(?m)^\s*version\s*=\s*(\d+)') { return [int] $Matches[1] }
    throw "Cannot add the runtime: '$Config' has no version. Write it anew with: containerd config default"
}

function Add-Runtime {
    if (-not (Test-Path -LiteralPath $Config -PathType Leaf)) {
        throw "Cannot add the runtime: there is no '$Config'. Write it with: containerd config default"
    }
    $text = [IO.File]::ReadAllText($Config)
    if ($text.Contains('io.containerd.lcow.v2')) {
        Write-Host "Up to date: $Config has the runtime"
        return
    }
    $tables = Get-RuntimeTables (Get-ConfigVersion $text)
    Set-ConfigText ($text.TrimEnd() + "`n`n$begin`n$tables`n$end`n")
}

function Show-Runtime {
    Write-Host "Add the part for your version to $Config, or run this with -AddRuntime:"
    Write-Host ''
    Get-Content -LiteralPath (Join-Path $PSScriptRoot 'containerd-config.toml') | Write-Host
}

function Remove-Runtime {
    if (-not (Test-Path -LiteralPath $Config -PathType Leaf)) { return }
    $text = [IO.File]::ReadAllText($Config)
    $block = '(?s)\s*' + [regex]::Escape($begin) + '.*?' + [regex]::Escape($end)
    $rest = [regex]::Replace($text, $block, '')
    if ($rest -ne $text) { Set-ConfigText ($rest.TrimEnd() + "`n") }
    if ($rest.Contains('io.containerd.lcow.v2')) {
        Write-Warning "$Config has the runtime in tables that are not from this script: remove them by hand"
    }
}

function Remove-Installed {
    foreach ($path in $target, $bootTarget) {
        if (-not (Test-Path -LiteralPath $path)) { continue }
        if (-not $PSCmdlet.ShouldProcess($path, 'Remove')) { continue }
        Remove-Item -LiteralPath $path -Recurse -Force
        Write-Host "Removed: $path"
    }
}

Assert-Elevated
if ($Uninstall) {
    Remove-Runtime
    Remove-Installed
} else {
    $source = Find-Executable
    if ($BootFiles) { Assert-BootFiles }
    New-Item -ItemType Directory -Force -Path $Destination | Out-Null
    Copy-Changed $source $target
    if ($BootFiles) {
        New-Item -ItemType Directory -Force -Path $bootTarget | Out-Null
        Get-ChildItem -File -LiteralPath $BootFiles | ForEach-Object {
            Copy-Changed $_.FullName (Join-Path $bootTarget $_.Name)
        }
    }
    if ($AddRuntime) { Add-Runtime } else { Show-Runtime }
}
if ($RestartService -and $PSCmdlet.ShouldProcess('containerd', 'Restart the service')) {
    Restart-Service -Name containerd
    Write-Host 'Restarted: containerd'
}
if (-not $Uninstall) { Write-Host "Now look whether anything is missing: & '$target' doctor" }
