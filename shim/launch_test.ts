import { assertEquals } from "@std/assert";
import { jsonLogger } from "../base/log.ts";
import { FakePlatform } from "./fake_platform.ts";
import { traceLaunch } from "./launch.ts";
import { shimVersion } from "./version.ts";

Deno.test("traceLaunch() tells the system which process runs, and who answers for its state", async () => {
  const platform = new FakePlatform();
  let asked = 0;
  await traceLaunch(platform, {
    args: ["-id", "web", "serve"],
    onCaptureState: () => asked++,
  });
  assertEquals(platform.systemEvent, [{
    name: "ShimLaunched",
    Args: ["-id", "web", "serve"],
    Version: shimVersion,
  }]);
  platform.captureState();
  assertEquals(asked, 1);
});

Deno.test("traceLaunch() does without a system that refuses, and says so in the log", async () => {
  const lines: string[] = [];
  const log = jsonLogger((line) => lines.push(line));
  const systemEvents = () => Promise.reject(new Error("no memory"));
  await traceLaunch({ systemEvents }, { args: [], log });
  await traceLaunch({ systemEvents }, { args: [] });
  assertEquals([lines.length, lines[0]?.includes("no memory")], [1, true]);
});
