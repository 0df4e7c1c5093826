// A virtdisk.dll whose disks are raw files: a Linux machine attaches them as loop devices. A disk's handle is the file's.
// Not windows.h, whose virtdisk.h would have these functions imported.
#include <stdarg.h>
#include <windef.h>
#include <winbase.h>
#define EXPORT __declspec(dllexport) DWORD WINAPI
#define SECTOR 512
typedef struct { UINT32 version; GUID id; ULONGLONG maximum; } CreateParameters; // the beginning of versions 1 and 2
typedef struct { UINT32 version; ULONGLONG size; } SizeParameters; // of Expand and Resize
typedef struct { UINT32 version; ULONGLONG virtual, physical; UINT32 block, sector; } DiskInfo; // version 1: the size

static DWORD resize(HANDLE file, ULONGLONG size, int grows_only) {
  LARGE_INTEGER now, wanted = { .QuadPart = size };
  if (!size || size % SECTOR) return ERROR_INVALID_PARAMETER;
  if (!GetFileSizeEx(file, &now)) return GetLastError();
  if (grows_only && wanted.QuadPart < now.QuadPart) return ERROR_INVALID_PARAMETER;
  // The file is sparse, as Wine truncates it.
  return SetFilePointerEx(file, wanted, 0, FILE_BEGIN) && SetEndOfFile(file) ? ERROR_SUCCESS : GetLastError();
}
static DWORD open_file(PCWSTR path, DWORD disposition, HANDLE *handle) {
  DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  *handle = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, share, 0, disposition, FILE_ATTRIBUTE_NORMAL, 0);
  if (*handle != INVALID_HANDLE_VALUE) return ERROR_SUCCESS;
  *handle = NULL;
  return GetLastError();
}

EXPORT CreateVirtualDisk(void *type, PCWSTR path, UINT32 access, void *security, UINT32 flags, UINT32 provider, CreateParameters *parameters, OVERLAPPED *overlapped, HANDLE *handle) {
  (void)type; (void)access; (void)security; (void)flags; (void)provider; (void)overlapped;
  DWORD error = open_file(path, CREATE_NEW, handle);
  if (error) return error; // ERROR_FILE_EXISTS
  error = resize(*handle, parameters->maximum, 1);
  if (error) { CloseHandle(*handle); *handle = NULL; DeleteFileW(path); }
  return error;
}
EXPORT OpenVirtualDisk(void *type, PCWSTR path, UINT32 access, UINT32 flags, void *parameters, HANDLE *handle) {
  (void)type; (void)access; (void)flags; (void)parameters;
  return open_file(path, OPEN_EXISTING, handle);
}
EXPORT ExpandVirtualDisk(HANDLE disk, UINT32 flags, SizeParameters *parameters, OVERLAPPED *overlapped) {
  (void)flags; (void)overlapped;
  return resize(disk, parameters->size, 1);
}
EXPORT ResizeVirtualDisk(HANDLE disk, UINT32 flags, SizeParameters *parameters, OVERLAPPED *overlapped) {
  (void)flags; (void)overlapped;
  return resize(disk, parameters->size, 0);
}
EXPORT GetVirtualDiskInformation(HANDLE disk, ULONG *size, DiskInfo *info, ULONG *used) {
  LARGE_INTEGER now;
  if (*size < sizeof *info) return ERROR_INSUFFICIENT_BUFFER;
  if (info->version != 1) return ERROR_NOT_SUPPORTED;
  if (!GetFileSizeEx(disk, &now)) return GetLastError();
  *info = (DiskInfo){ 1, now.QuadPart, now.QuadPart, 0, SECTOR };
  if (used) *used = sizeof *info;
  return ERROR_SUCCESS;
}
