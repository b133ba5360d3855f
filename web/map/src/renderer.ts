// Draws all boxes with one call: a rectangle for each pool, in which the fragment shader finds the block that a
// pixel lies in and looks its colour up in a texture of slots. So a frame costs what the screen has pixels,
// whether the heap has a thousand blocks or a million. Where blocks are smaller than two pixels, a pool shows the
// mean of its blocks.
import { createProgramInfo, type ProgramInfo, setUniforms } from "twgl.js";
import type { Camera } from "./camera";
import { type Colouring, channels } from "./colours";
import { type Heap, State } from "./heap";
import type { Layout } from "./layout";
import type { Theme } from "./theme";

const textureWidth = 4096;

const vertexShader = `#version 300 es
in vec2 corner;
in vec4 rectangle;
in ivec4 grid;
in vec4 mean;
in float state;
uniform vec4 view;   // centre of the map, pixels per unit
uniform vec2 size;   // of the canvas, in pixels
out vec2 inside;
flat out ivec4 blocks;
flat out vec4 average;
flat out float poolState;
flat out vec2 pixels;
void main() {
  vec2 at = rectangle.xy + corner * rectangle.zw;
  vec2 pixel = (at - view.xy) * view.z;
  gl_Position = vec4(pixel / size * vec2(2.0, -2.0), 0.0, 1.0);
  inside = corner;
  blocks = grid;
  average = mean;
  poolState = state;
  pixels = rectangle.zw * view.z;
}`;

const fragmentShader = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
in vec2 inside;
flat in ivec4 blocks;
flat in vec4 average;
flat in float poolState;
flat in vec2 pixels;
uniform usampler2D slots;
uniform sampler2D palette;
uniform vec3 ground;
uniform vec3 line;
uniform float lit;   // 1: some blocks are highlighted, the others step back
out vec4 colour;
void main() {
  vec2 at = inside * pixels;
  if (blocks.y == 0) {
    // An empty pool has an edge, an untouched one is hatched.
    float edge = min(min(at.x, pixels.x - at.x), min(at.y, pixels.y - at.y));
    float hatch = step(0.5, fract((at.x + at.y) / 7.0));
    float amount = poolState < 0.5 ? 0.16 + 0.10 * hatch * step(14.0, pixels.x) : 0.10 + 0.5 * (1.0 - step(1.0, edge));
    colour = vec4(mix(ground, line, amount), 1.0);
    return;
  }
  vec2 cells = vec2(blocks.zw);
  vec2 cell = inside * cells;
  vec2 cellPixels = pixels / cells;
  float least = min(cellPixels.x, cellPixels.y);
  vec3 far = average.rgb;
  if (least < 1.2) {
    colour = vec4(far, 1.0);
    return;
  }
  ivec2 place = min(ivec2(cell), blocks.zw - 1);
  int index = place.y * blocks.z + place.x;
  vec3 near = ground;
  if (index < blocks.y) {
    int slot = blocks.x + index;
    uvec4 texel = texelFetch(slots, ivec2(slot & ${textureWidth - 1}, slot >> 12), 0);
    vec3 own = texelFetch(palette, ivec2(int(texel.r), 0), 0).rgb;
    vec2 part = fract(cell);
    vec2 edges = min(part, 1.0 - part) * cellPixels;
    float edge = min(edges.x, edges.y);
    float gap = least < 5.0 ? 0.0 : min(2.0, least * 0.06);
    if (texel.g == 1u) {
      near = own;
    } else if (texel.g == 2u) {
      // Free: hollow, so that the state is told by shape too.
      float rim = least < 6.0 ? 0.0 : clamp(least * 0.09, 1.0, 5.0);
      near = mix(ground, own, edge < gap + rim ? 0.62 : 0.20);
    } else {
      near = mix(ground, line, least < 6.0 ? 0.12 : edge < gap + 1.0 ? 0.30 : 0.06);
    }
    // What isn't allocated keeps a trace of the pool's colour until its blocks can be told apart.
    if (texel.g != 1u) {
      near = mix(near, far, 0.75 * (1.0 - smoothstep(2.0, 16.0, least)));
    }
    if (lit > 0.5 && texel.b == 0u) {
      near = mix(ground, near, 0.17);
    }
    near = mix(near, ground, edge < gap ? 1.0 : 0.0);
  }
  colour = vec4(mix(far, near, smoothstep(1.2, 2.2, least)), 1.0);
}`;

export class Renderer {
  private readonly gl: WebGL2RenderingContext;
  private readonly program: ProgramInfo;
  private readonly slotsTexture: WebGLTexture;
  private readonly paletteTexture: WebGLTexture;
  private readonly buffers = new Map<string, WebGLBuffer>();
  private readonly array: WebGLVertexArrayObject;
  private boxes = 0;
  private texels = new Uint8Array(0);
  private lit = false;

  constructor(private readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, powerPreference: "high-performance" });
    if (gl === null) {
      throw new Error("This browser has no WebGL 2, which the map is drawn with. Any browser since 2022 has it, unless it is switched off.");
    }
    this.gl = gl;
    this.program = createProgramInfo(gl, [vertexShader, fragmentShader]);
    this.slotsTexture = this.texture();
    this.paletteTexture = this.texture();
    this.array = gl.createVertexArray() as WebGLVertexArrayObject;
    this.upload("corner", new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), 2, gl.FLOAT, 0);
  }

  private texture(): WebGLTexture {
    const { gl } = this;
    const texture = gl.createTexture() as WebGLTexture;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const [name, value] of [
      [gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    ]) {
      gl.texParameteri(gl.TEXTURE_2D, name, value);
    }
    return texture;
  }

  private upload(name: string, data: ArrayBufferView, size: number, type: number, divisor: number, normalised = false): void {
    const { gl } = this;
    const location = gl.getAttribLocation(this.program.program, name);
    const buffer = this.buffers.get(name) ?? (gl.createBuffer() as WebGLBuffer);
    this.buffers.set(name, buffer);
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(location);
    if (type === gl.INT) {
      gl.vertexAttribIPointer(location, size, type, 0, 0);
    } else {
      gl.vertexAttribPointer(location, size, type, normalised, 0, 0);
    }
    gl.vertexAttribDivisor(location, divisor);
  }

  setLayout(layout: Layout): void {
    const { gl } = this;
    this.boxes = layout.boxes.count;
    this.upload("rectangle", layout.boxes.rectangles.subarray(0, this.boxes * 4), 4, gl.FLOAT, 1);
    this.upload("grid", layout.boxes.grid.subarray(0, this.boxes * 4), 4, gl.INT, 1);
    this.upload("state", layout.boxes.states.subarray(0, this.boxes), 1, gl.UNSIGNED_BYTE, 1);
  }

  // The colours of all slots, and of each pool their mean, in which few highlighted blocks are still seen.
  setColours(heap: Heap, layout: Layout, colouring: Colouring, highlighted: Uint8Array | null, theme: Theme): void {
    const { gl } = this;
    const height = Math.max(1, Math.ceil(heap.slots / textureWidth));
    if (height > gl.getParameter(gl.MAX_TEXTURE_SIZE)) {
      throw new Error("This browser's WebGL can't hold so many blocks.");
    }
    if (this.texels.length !== height * textureWidth * 4) {
      this.texels = new Uint8Array(height * textureWidth * 4);
    }
    const { texels } = this;
    for (let slot = 0; slot < heap.slots; ++slot) {
      texels[slot * 4] = colouring.indices[slot];
      texels[slot * 4 + 1] = heap.state[slot] & 3;
      texels[slot * 4 + 2] = highlighted === null ? 0 : highlighted[slot];
    }
    gl.bindTexture(gl.TEXTURE_2D, this.slotsTexture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8UI, textureWidth, height, 0, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE, texels);
    const palette = new Uint8Array(256 * 4).fill(255);
    for (const entry of colouring.entries) {
      palette.set(channels(entry.colour), entry.index * 4);
    }
    gl.bindTexture(gl.TEXTURE_2D, this.paletteTexture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette);
    this.lit = highlighted !== null;
    this.upload("mean", this.means(layout, palette, theme), 4, gl.UNSIGNED_BYTE, 1, true);
  }

  private means(layout: Layout, palette: Uint8Array, theme: Theme): Uint8Array {
    const { texels } = this;
    const { grid } = layout.boxes;
    const means = new Uint8Array(this.boxes * 4);
    for (let box = 0; box < this.boxes; ++box) {
      const first = grid[box * 4];
      const blocks = grid[box * 4 + 1];
      let red = 0, green = 0, blue = 0, live = 0, free = 0, lit = 0, litRed = 0, litGreen = 0, litBlue = 0;
      for (let slot = first; slot < first + blocks; ++slot) {
        const at = texels[slot * 4] * 4;
        const state = texels[slot * 4 + 1];
        if (state === State.allocated) {
          ++live;
          red += palette[at];
          green += palette[at + 1];
          blue += palette[at + 2];
        } else if (state === State.free) {
          ++free;
        }
        if (texels[slot * 4 + 2] !== 0) {
          ++lit;
          litRed += palette[at];
          litGreen += palette[at + 1];
          litBlue += palette[at + 2];
        }
      }
      const all = Math.max(1, blocks);
      // Few live blocks pin a pool as many do: they are seen more than their share.
      const strength = live === 0 ? 0 : 0.25 + 0.75 * (live / all) ** 0.6;
      const hollow = (0.3 * free) / all;
      let colour = [red, green, blue].map((sum, i) => {
        const ground = theme.ground[i] + hollow * (theme.line[i] - theme.ground[i]);
        return live === 0 ? ground : ground + strength * (sum / live - ground);
      });
      if (this.lit) {
        // A single one among a thousand is seen still.
        const share = lit === 0 ? 0 : 0.45 + (0.55 * lit) / all;
        const dim = colour.map((value, i) => theme.ground[i] + 0.17 * (value - theme.ground[i]));
        colour = [litRed, litGreen, litBlue].map((sum, i) => (lit === 0 ? dim[i] : (sum / lit) * share + dim[i] * (1 - share)));
      }
      means.set([colour[0], colour[1], colour[2], 255], box * 4);
    }
    return means;
  }

  draw(camera: Camera, theme: Theme): void {
    const { gl, canvas, program } = this;
    const share = (channel: number): number => channel / 255;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(share(theme.background[0]), share(theme.background[1]), share(theme.background[2]), 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(program.program);
    gl.bindVertexArray(this.array);
    setUniforms(program, {
      view: [camera.x, camera.y, camera.scale * camera.density, 0],
      size: [canvas.width, canvas.height],
      ground: theme.ground.map(share),
      line: theme.line.map(share),
      lit: this.lit ? 1 : 0,
      slots: this.slotsTexture,
      palette: this.paletteTexture,
    });
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.boxes);
  }
}
