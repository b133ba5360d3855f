// Reads what src/sight/map/columns.h writes: columns of numbers and texts in a row of bytes.

export type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

const magic = "TARNMAP1";

export class Columns {
  private readonly columns = new Map<string, Numbers | string[]>();

  constructor(buffer: ArrayBuffer) {
    const view = new DataView(buffer);
    const decoder = new TextDecoder();
    const text = (at: number, length: number): string => decoder.decode(new Uint8Array(buffer, at, length));
    if (buffer.byteLength < 16 || text(0, 8) !== magic) {
      throw new Error("the page's data isn't what it should be");
    }
    const aligned = (at: number): number => (at + 7) & ~7;
    let at = 16;
    for (let i = view.getUint32(8, true); i > 0; --i) {
      const kind = view.getUint8(at);
      const nameLength = view.getUint8(at + 1);
      const name = text(at + 2, nameLength);
      at = aligned(at + 2 + nameLength);
      const elements = view.getUint32(at, true);
      const bytes = view.getUint32(at + 4, true);
      at += 8;
      this.columns.set(name, this.read(kind, buffer, at, elements, text));
      at = aligned(at + bytes);
    }
  }

  private read(
    kind: number, buffer: ArrayBuffer, at: number, elements: number, text: (at: number, length: number) => string,
  ): Numbers | string[] {
    switch (kind) {
      case 1: return new Uint8Array(buffer, at, elements);
      case 2: return new Uint16Array(buffer, at, elements);
      case 3: return new Uint32Array(buffer, at, elements);
      case 4: return new Float64Array(buffer, at, elements);
      case 5: {
        const offsets = new Uint32Array(buffer, at, elements + 1);
        const start = at + 4 * (elements + 1);
        return Array.from({ length: elements }, (_, i) => text(start + offsets[i], offsets[i + 1] - offsets[i]));
      }
      default: throw new Error("the page's data has a kind of column that the page doesn't know");
    }
  }

  private get(name: string): Numbers | string[] {
    const column = this.columns.get(name);
    if (column === undefined) {
      throw new Error(`the page's data has no column ${name}`);
    }
    return column;
  }

  numbers(name: string): Numbers {
    return this.get(name) as Numbers;
  }

  texts(name: string): string[] {
    return this.get(name) as string[];
  }
}

// A script element's data: base64 of a zlib stream.
export async function unpack(text: string): Promise<Columns> {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; ++i) {
    bytes[i] = binary.charCodeAt(i);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Columns(await new Response(stream).arrayBuffer());
}
