/** Nothing to show yet: either it is on its way, or why it did not come and how to ask again. */
export function Problem({ message, onAgain, waiting }: { message: string | null; onAgain: () => void; waiting?: string }) {
  if (message) return <p className="field-error" role="alert">{message} <button type="button" className="desk-link" onClick={onAgain}>Try again</button></p>;
  return waiting ? <p className="muted">{waiting}</p> : null;
}
