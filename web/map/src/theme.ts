// Dark and light: as the system has it, or as the reader chose. Colours are style.css's.
import { channels } from "./colours";

type Channels = [number, number, number];

export interface Theme { isDark: boolean; background: Channels; ground: Channels; line: Channels; text: string; faint: string; accent: string; panel: string }

const system = matchMedia("(prefers-color-scheme: dark)");

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return {
    isDark: document.documentElement.dataset["theme"] === "dark",
    background: channels(value("--map-background")), ground: channels(value("--map-ground")), line: channels(value("--map-line")),
    text: value("--text"), faint: value("--faint"), accent: value("--accent"), panel: value("--panel"),
  };
}

export function setTheme(dark: boolean): void {
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

export function followSystem(changed: () => void): void {
  setTheme(system.matches);
  system.addEventListener("change", () => {
    setTheme(system.matches);
    changed();
  });
}
