// Reads what src/sight/map/columns.h writes: columns of numbers and texts in a row of bytes.

export type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

const magic = "TARNMAP1";
const decoder = new TextDecoder();

// A column of texts, each decoded when it's asked for: of values there may be a million.
export class Texts {
  constructor(private readonly offsets: Uint32Array, private readonly bytes: Uint8Array) {}

  get length(): number {
    return this.offsets.length - 1;
  }
  at(number: number): string {
    return decoder.decode(this.bytes.subarray(this.offsets[number], this.offsets[number + 1]));
  }
  all(): string[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i));
  }
}

export class Columns {
  private readonly columns = new Map<string, Numbers | Texts>();

  constructor(buffer: ArrayBuffer) {
    const view = new DataView(buffer);
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
      this.columns.set(name, this.read(kind, buffer, at, elements, bytes));
      at = aligned(at + bytes);
    }
  }

  private read(kind: number, buffer: ArrayBuffer, at: number, elements: number, bytes: number): Numbers | Texts {
    switch (kind) {
      case 1: return new Uint8Array(buffer, at, elements);
      case 2: return new Uint16Array(buffer, at, elements);
      case 3: return new Uint32Array(buffer, at, elements);
      case 4: return new Float64Array(buffer, at, elements);
      case 5: {
        const start = 4 * (elements + 1);
        return new Texts(new Uint32Array(buffer, at, elements + 1), new Uint8Array(buffer, at + start, bytes - start));
      }
      default: throw new Error("the page's data has a kind of column that the page doesn't know");
    }
  }

  private get(name: string): Numbers | Texts {
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
    return this.manyTexts(name).all();
  }

  manyTexts(name: string): Texts {
    return this.get(name) as Texts;
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
