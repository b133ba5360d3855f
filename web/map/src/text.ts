// Amounts and addresses for people.

export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let amount = Math.abs(bytes);
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    ++unit;
  }
  const digits = unit === 0 || amount >= 100 || Number.isInteger(amount) ? 0 : 1;
  return `${bytes < 0 ? "−" : ""}${amount.toFixed(digits)} ${units[unit]}`;
}

export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

export function addressText(address: number): string {
  return `0x${address.toString(16)}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}
