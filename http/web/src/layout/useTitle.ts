import { useEffect } from "react";

/** The tab's title: what this page is, then whose it is. */
export function useTitle(title: string | null): void {
  useEffect(() => {
    document.title = title ? `${title} · Footlight` : "Footlight";
  }, [title]);
}
