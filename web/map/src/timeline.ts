// The time line: the resident memory of all snapshots as a curve, and which of them is shown.
import { byId } from "./dom";
import type { Names } from "./heap";
import { readTheme } from "./theme";
import { bytesText } from "./text";

const stepMilliseconds = 900;

export class TimeLine {
  private playing: number | null = null;

  constructor(private readonly names: Names, private readonly show: (ordinal: number) => void) {
    const slider = byId<HTMLInputElement>("when");
    slider.max = String(names.count - 1);
    slider.addEventListener("input", () => {
      this.stop();
      this.show(Number(slider.value));
    });
    byId("play").addEventListener("click", () => this.toggle());
    byId("time").hidden = names.count < 2;
  }

  toggle(): void {
    if (this.playing !== null) {
      this.stop();
      return;
    }
    if (this.names.count < 2) {
      return;
    }
    const last = this.names.count - 1;
    let at = Number(byId<HTMLInputElement>("when").value);
    const step = (): void => {
      at = at >= last ? 0 : at + 1;
      this.show(at);
      if (at === last) {
        this.stop();
      }
    };
    this.playing = window.setInterval(step, stepMilliseconds);
    byId("play").textContent = "⏸";
    step();
  }

  private stop(): void {
    if (this.playing !== null) {
      clearInterval(this.playing);
      this.playing = null;
      byId("play").textContent = "▶";
    }
  }

  draw(ordinal: number): void {
    const { names } = this;
    byId<HTMLInputElement>("when").value = String(ordinal);
    const text = byId("when-text");
    const time = new Date(names.takenAt[ordinal] * 1000);
    const label = document.createElement("b");
    label.textContent = `snapshot ${names.ids[ordinal]} · ${bytesText(names.resident[ordinal])}`;
    text.replaceChildren(label, `${time.toLocaleTimeString()} · ${ordinal + 1} of ${names.count}`);
    const canvas = byId<HTMLCanvasElement>("curve");
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) {
      return;
    }
    const density = devicePixelRatio;
    canvas.width = width * density;
    canvas.height = height * density;
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.scale(density, density);
    const theme = readTheme();
    const most = Math.max(1, ...names.resident);
    const place = (i: number): [number, number] => [
      10 + (i / Math.max(1, names.count - 1)) * (width - 20), height - 6 - (names.resident[i] / most) * (height - 16),
    ];
    context.beginPath();
    context.moveTo(10, height - 4);
    for (let i = 0; i < names.count; ++i) {
      context.lineTo(...place(i));
    }
    context.lineTo(width - 10, height - 4);
    context.closePath();
    context.fillStyle = theme.faint;
    context.globalAlpha = 0.25;
    context.fill();
    context.globalAlpha = 1;
    for (let i = 0; i < names.count; ++i) {
      const [x, y] = place(i);
      context.beginPath();
      context.arc(x, y, i === ordinal ? 6 : 3.5, 0, 7);
      context.fillStyle = i === ordinal ? theme.accent : theme.faint;
      context.fill();
    }
  }
}
