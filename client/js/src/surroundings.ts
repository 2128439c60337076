// The clock and the page where nobody gives others.
import type { Clock, Page } from "./types.js";

const longest = 2 ** 31 - 1; // what setTimeout can count

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, longest));
    return () => clearTimeout(timer);
  },
};

export const browserPage: Page = (changed) => {
  if (typeof document === "undefined" || typeof window === "undefined") return () => {};
  const happened = () => changed(document.visibilityState === "visible" && navigator.onLine);
  const places: [EventTarget, string][] = [
    [document, "visibilitychange"],
    [window, "pageshow"],
    [window, "online"],
    [window, "offline"],
  ];
  for (const [place, kind] of places) place.addEventListener(kind, happened);
  return () => {
    for (const [place, kind] of places) place.removeEventListener(kind, happened);
  };
};
