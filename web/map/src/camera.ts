// Where one looks, and how close.
import type { Layout, Rectangle } from "./layout";

const mostScale = 4000;  // a block of 16 bytes then fills the screen
const flightMilliseconds = 320;

interface View { x: number; y: number; scale: number }

export class Camera implements View {
  x = 0;
  y = 0;
  scale = 1;    // CSS pixels per unit
  width = 1;    // of the canvas, in CSS pixels
  height = 1;
  density = 1;  // pixels of the canvas per CSS pixel
  private least = 0.01;
  private bounds: Rectangle = { x: 0, y: 0, width: 1, height: 1 };
  private flight: { from: View; to: View; start: number } | null = null;

  resize(width: number, height: number, density: number): void {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.density = density;
    this.limit();
  }

  setBounds(layout: Layout): void {
    this.bounds = { x: 0, y: 0, width: layout.width, height: layout.height };
    this.limit();
  }

  private limit(): void {
    this.least = 0.6 * Math.min(this.width / this.bounds.width, this.height / this.bounds.height);
    this.scale = Math.max(this.least, Math.min(mostScale, this.scale));
    this.x = Math.max(this.bounds.x, Math.min(this.bounds.x + this.bounds.width, this.x));
    this.y = Math.max(this.bounds.y, Math.min(this.bounds.y + this.bounds.height, this.y));
  }

  private showing(rectangle: Rectangle, margin: number, most = mostScale): View {
    const scale = Math.min((this.width - 2 * margin) / rectangle.width, (this.height - 2 * margin) / rectangle.height, most);
    return { x: rectangle.x + rectangle.width / 2, y: rectangle.y + rectangle.height / 2, scale: Math.max(this.least, scale) };
  }

  // All of it. The legend lies over the lower left.
  fit(animated: boolean): void {
    this.go(this.showing(this.bounds, 12), animated);
  }

  flyTo(rectangle: Rectangle, most?: number): void {
    this.go(this.showing(rectangle, Math.min(this.width, this.height) * 0.07, most), true);
  }

  private go(to: View, animated: boolean): void {
    if (!animated || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      Object.assign(this, to);
      this.flight = null;
      return;
    }
    this.flight = { from: { x: this.x, y: this.y, scale: this.scale }, to, start: performance.now() };
  }

  put(x: number, y: number, scale: number): void {
    Object.assign(this, { x, y, scale });
    this.limit();
  }

  // Whether it moves still.
  advance(now: number): boolean {
    if (this.flight === null) {
      return false;
    }
    const { from, to, start } = this.flight;
    const passed = Math.max(0, Math.min(1, (now - start) / flightMilliseconds));
    const eased = 1 - (1 - passed) ** 3;
    this.scale = from.scale * (to.scale / from.scale) ** eased;
    // The place goes with the scale, so that the way looks straight on the screen.
    const moved = from.scale === to.scale ? eased : (1 / from.scale - 1 / this.scale) / (1 / from.scale - 1 / to.scale);
    this.x = from.x + (to.x - from.x) * moved;
    this.y = from.y + (to.y - from.y) * moved;
    if (passed === 1) {
      Object.assign(this, to);
      this.flight = null;
    }
    return true;
  }

  pan(dx: number, dy: number): void {
    this.flight = null;
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.limit();
  }

  // What lies under the point stays there.
  zoom(factor: number, atX = this.width / 2, atY = this.height / 2): void {
    this.flight = null;
    const [x, y] = this.toMap(atX, atY);
    this.scale = Math.max(this.least, Math.min(mostScale, this.scale * factor));
    this.x = x - (atX - this.width / 2) / this.scale;
    this.y = y - (atY - this.height / 2) / this.scale;
    this.limit();
  }

  toMap(px: number, py: number): [number, number] {
    return [this.x + (px - this.width / 2) / this.scale, this.y + (py - this.height / 2) / this.scale];
  }

  toScreen(x: number, y: number): [number, number] {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  rectangle(r: Rectangle): Rectangle {
    const [x, y] = this.toScreen(r.x, r.y);
    return { x, y, width: r.width * this.scale, height: r.height * this.scale };
  }

  sees(r: Rectangle): boolean {
    return r.x + r.width > -50 && r.y + r.height > -50 && r.x < this.width + 50 && r.y < this.height + 50;
  }
}
