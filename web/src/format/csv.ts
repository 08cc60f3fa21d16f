export type Cell = string | number;

/** A line or table as CSV (RFC 4180). A cell that a spreadsheet would take for a formula is quoted. */
export function csv(head: string[], rows: Cell[][]): string {
  const cell = (value: Cell) => {
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Gives the reader a file made in this window. */
export function offer(name: string, type: string, content: string | Blob): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
