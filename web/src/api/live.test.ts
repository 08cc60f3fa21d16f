import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HIDDEN_MS, live } from "./live.svelte";

class Stream extends EventTarget {
  static readonly CLOSED = 2;
  static all: Stream[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor() {
    super();
    Stream.all.push(this);
  }
  close() {
    this.readyState = Stream.CLOSED;
  }
}

const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
const see = (state: string) => {
  page.visibilityState = state;
  page.dispatchEvent(new Event("visibilitychange"));
};
const open = () => Stream.all.filter((stream) => stream.readyState !== Stream.CLOSED);

beforeEach(() => {
  vi.useFakeTimers();
  Stream.all = [];
  page.visibilityState = "visible";
  vi.stubGlobal("EventSource", Stream);
  vi.stubGlobal("document", page);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a window that nobody sees gives its stream up, and asks for what it missed when it is seen again", () => {
  const heard: string[] = [];
  const stop = live.start();
  const deaf = live.listen((name) => heard.push(name));
  open()[0]?.onopen?.();
  see("hidden");
  vi.advanceTimersByTime(HIDDEN_MS - 1);
  expect(open()).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(open()).toHaveLength(0);
  see("visible");
  expect(open()).toHaveLength(1);
  expect(heard).toEqual([]);
  open()[0]?.onopen?.();
  expect([heard, live.state]).toEqual([["missed"], "open"]);
  deaf();
  stop();
  expect(open()).toHaveLength(0);
});

test("a short look elsewhere changes nothing, and after the end nothing is opened", () => {
  const stop = live.start();
  see("hidden");
  vi.advanceTimersByTime(HIDDEN_MS / 2);
  see("visible");
  vi.advanceTimersByTime(HIDDEN_MS * 2);
  expect(Stream.all).toHaveLength(1);
  stop();
  see("visible");
  expect(open()).toHaveLength(0);
});

test("a window opened behind another waits until it is seen", () => {
  page.visibilityState = "hidden";
  const stop = live.start();
  expect(Stream.all).toHaveLength(0);
  see("visible");
  expect(open()).toHaveLength(1);
  stop();
});
