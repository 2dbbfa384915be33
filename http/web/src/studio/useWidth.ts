import { useEffect, useRef, useState } from "react";

/** How wide an element is, for what is drawn into it. */
export function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watching = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watching.observe(ref.current!);
    return () => watching.disconnect();
  }, []);
  return [ref, width];
}
