import type { Quota } from "../api/videos";
import { byteWords } from "../upload/parts";

export function QuotaLine({ quota }: { quota: Quota }) {
  const words = `${byteWords(quota.used_bytes)} of ${byteWords(quota.limit_bytes)} used`;
  return (
    <p className="quota small muted">
      <meter min={0} max={quota.limit_bytes} high={quota.limit_bytes * 0.9} value={Math.min(quota.used_bytes, quota.limit_bytes)} aria-label={words} />
      {words}
    </p>
  );
}
