// When frames are drawn, and how finely: all that the screen has as soon as the view is still, and while it moves as
// much as there is time for.
//
//   still ──moving()──▶ moving ──nothing for restMilliseconds──▶ still
//
// Where frames of a movement come too slowly they get fewer pixels. A rest takes back one such step: a machine that was
// busy for a moment isn't thought slow for ever.

export interface Pace {
  view: boolean;      // false: only what lies over the blocks has changed
  isMoving: boolean;
  sharpness: number;  // the share of the screen's pixels, along a side, that the blocks are drawn with
}

const restMilliseconds = 140;
const slowFrame = 28;  // milliseconds; what is meant to be reached is less, so that it isn't always at the limit
const wantedFrame = 22;
const leastSharpness = 0.4;
const oneRest = 1.3;

export class Pacing {
  private isAsked = false;
  private isViewAsked = false;
  private isMoving = false;
  private lastFrame = -1e9;
  private frameTime = wantedFrame;
  private sharpness = 1;
  private resting = 0;

  // `frame` draws one, and returns whether the view moves on by itself.
  constructor(private readonly frame: (now: number, pace: Pace) => boolean) {}

  // The view has moved, and may move on.
  moving(): void {
    this.isMoving = true;
    this.changed();
  }

  // Something else is to be seen.
  changed(): void {
    this.isViewAsked = true;
    this.ask();
  }

  // Something else is to be seen over the blocks.
  marked(): void {
    this.ask();
  }

  private ask(): void {
    if (!this.isAsked) {
      this.isAsked = true;
      requestAnimationFrame((now) => this.draw(now));
    }
  }

  private draw(now: number): void {
    this.isAsked = false;
    const pace = { view: this.isViewAsked, isMoving: this.isMoving, sharpness: 1 };
    this.isViewAsked = false;
    if (pace.view && pace.isMoving) {
      this.learn(now);
      pace.sharpness = this.sharpness;
      clearTimeout(this.resting);
      this.resting = window.setTimeout(() => this.rest(), restMilliseconds);
    }
    if (this.frame(now, pace)) {
      this.moving();
    }
  }

  private learn(now: number): void {
    const passed = now - this.lastFrame;
    this.lastFrame = now;
    if (passed > 250) {
      return;  // not the next of a row
    }
    this.frameTime += 0.25 * (passed - this.frameTime);
    if (this.frameTime > slowFrame && this.sharpness > leastSharpness) {
      // The time goes with the pixels, which go with the square.
      this.sharpness = Math.max(leastSharpness, this.sharpness * Math.max(0.6, Math.sqrt(wantedFrame / this.frameTime)));
      this.frameTime = wantedFrame;
    }
  }

  private rest(): void {
    this.isMoving = false;
    this.sharpness = Math.min(1, this.sharpness * oneRest);
    this.changed();
  }
}
