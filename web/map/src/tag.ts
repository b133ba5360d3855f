// Words on a canvas: cut where there is no room for all, and on a plate where they lie over blocks.
import type { Theme } from "./theme";

export const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

export function words(
  context: CanvasRenderingContext2D, text: string, x: number, y: number, size: number, colour: string, most: number, bold = false,
): void {
  context.textBaseline = "middle";
  context.font = `${bold ? "600 " : ""}${size}px ${font}`;
  let shown = text;
  if (context.measureText(shown).width > most) {
    // Widths are near enough proportional to find the place at once.
    let length = Math.max(0, Math.floor((text.length * most) / context.measureText(text).width) - 1);
    shown = `${text.slice(0, length)}…`;
    while (length > 0 && context.measureText(shown).width > most) {
      shown = `${text.slice(0, --length)}…`;
    }
    if (length < 2) {
      return;
    }
  }
  context.fillStyle = colour;
  context.fillText(shown, x, y);
}

export function tag(context: CanvasRenderingContext2D, text: string, x: number, y: number, theme: Theme, most: number): void {
  context.font = `11px ${font}`;
  const width = Math.min(most, context.measureText(text).width + 10);
  context.globalAlpha = 0.88;
  context.fillStyle = theme.panel;
  context.beginPath();
  context.roundRect(x, y, width, 17, 4);
  context.fill();
  context.globalAlpha = 1;
  words(context, text, x + 5, y + 9, 11, theme.text, width - 8);
}
