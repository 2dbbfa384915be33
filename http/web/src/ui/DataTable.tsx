/**
 * Rows and columns; on a phone each row is a card with its columns' names beside the values. The roles are written out,
 * because a table that is laid out as something else is one to nobody who listens.
 */
import type { ReactNode } from "react";
import "./table.css";

export interface Column<Row> {
  title: string;
  cell: (row: Row) => ReactNode;
  /** Set to the right, in figures of one width. */
  figure?: boolean;
}

interface TableProps<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  testId?: string;
}

export function DataTable<Row>({ caption, columns, rows, keyOf, testId }: TableProps<Row>) {
  return (
    <table className="table" role="table">
      <caption className="sr-only">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">{columns.map(({ title, figure }) => <th key={title} role="columnheader" scope="col" className={figure ? "figure" : undefined}>{title}</th>)}</tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row" data-testid={testId}>
            {columns.map(({ title, cell, figure }, place) => {
              const className = figure ? "figure" : undefined;
              return place === 0
                ? <th key={title} role="rowheader" scope="row" className={className}>{cell(row)}</th>
                : <td key={title} role="cell" className={className} data-title={title}>{cell(row)}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
