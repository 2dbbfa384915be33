/** The bills: number, day, amount, and the way to the page and the file. Fetched when one asks for them. */
import { useEffect, useState } from "react";
import { asApiError, type ApiError } from "../api/errors";
import { fetchInvoices, type Invoice } from "../api/payments";
import { Skeleton } from "../ui/Skeleton";
import { price, shortDay } from "./amounts";

const STATUS: Record<string, string> = { paid: "Paid", open: "Open", void: "Void", uncollectible: "Not paid" };

export function Invoices() {
  const [open, setOpen] = useState(false);
  return (
    <div className="invoices">
      <button type="button" className="link" aria-expanded={open} aria-controls="invoices" onClick={() => setOpen(!open)} data-testid="show-invoices">{open ? "Hide invoices" : "Show invoices"}</button>
      <div id="invoices" hidden={!open}>{open && <Shown />}</div>
    </div>
  );
}

function Shown() {
  const [invoices, setInvoices] = useState<Invoice[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [count, setCount] = useState(0);
  useEffect(() => {
    const left = new AbortController();
    setError(null);
    fetchInvoices(left.signal).then(
      (found) => setInvoices(found.invoices),
      (thrown: unknown) => {
        if (!left.signal.aborted) setError(asApiError(thrown));
      },
    );
    return () => left.abort();
  }, [count]);
  if (error) return <p className="form-error" role="alert">{error.code === "payment.stripe" ? "The payment service does not answer just now." : error.message} <button type="button" className="link" onClick={() => setCount(count + 1)}>Try again</button></p>;
  if (!invoices) return <Skeleton height={64} />;
  if (invoices.length === 0) return <p className="muted">There are no invoices yet.</p>;
  return (
    <table className="invoices-table">
      <thead><tr><th scope="col">Invoice</th><th scope="col">Date</th><th scope="col">Amount</th><th scope="col">Open</th></tr></thead>
      <tbody>{invoices.map((one) => <Row key={one.id} one={one} />)}</tbody>
    </table>
  );
}

function Row({ one }: { one: Invoice }) {
  const name = one.number ?? "Without a number";
  return (
    <tr data-testid="invoice">
      <th scope="row">{name}</th>
      <td>{shortDay(one.created_at)}</td>
      <td>{price(one.total_minor, one.currency)}{one.status && one.status !== "paid" && <span className="muted"> · {STATUS[one.status] ?? one.status}</span>}</td>
      <td className="row">
        {one.page_url && <a href={one.page_url} target="_blank" rel="noreferrer">View<span className="sr-only"> {name}</span></a>}
        {one.pdf_url && <a href={one.pdf_url} target="_blank" rel="noreferrer">PDF<span className="sr-only"> of {name}</span></a>}
      </td>
    </tr>
  );
}
