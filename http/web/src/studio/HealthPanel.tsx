import type { Health, Latency, StreamStatus } from "../api/types";
import { Icon } from "../ui/icons";

interface HealthProps {
  status: StreamStatus;
  health: Health | null;
  latency: Latency;
}

/** What arrives from the encoder: a verdict in words, the figures, and what to change. The place of each never moves. */
export function HealthPanel({ status, health, latency }: HealthProps) {
  const arriving = status === "live" && health !== null;
  const warnings = arriving ? health.warnings : [];
  return (
    <section className="panel" aria-labelledby="health" data-testid="health">
      <div className="panel-title">
        <h2 id="health">Health</h2>
        <p role="status" className={`verdict ${!arriving ? "" : warnings.length ? "verdict-warn" : "verdict-good"}`} data-testid="health-verdict">
          {arriving && <Icon name={warnings.length ? "warning" : "check"} size={16} />}
          {!arriving ? "Nothing arrives" : warnings.length === 0 ? "All good" : warnings.length === 1 ? "One thing to mend" : `${warnings.length} things to mend`}
        </p>
      </div>
      <dl className="figures">
        {figures(arriving ? health : null, latency).map(({ name, value, hint }) => (
          <div key={name}><dt>{name}</dt><dd>{value}</dd><dd className="muted small">{hint}</dd></div>
        ))}
      </dl>
      {warnings.length > 0 && (
        <ul className="warnings">
          {warnings.map(({ code, message }) => <li key={code}><Icon name="warning" size={18} />{message}</li>)}
        </ul>
      )}
    </section>
  );
}

const orDash = <T,>(value: T | null | undefined, words: (value: T) => string) => (value === null || value === undefined ? "–" : words(value));

function figures(health: Health | null, latency: Latency) {
  const size = health?.width && health.height ? `${health.width} × ${health.height}` : null;
  const codecs = [health?.video_codec, health?.audio_codec].filter(Boolean).join(" + ") || null;
  return [
    { name: "Bit rate", value: orDash(health?.bitrate_kbps, (kbps) => (kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`)), hint: "2.5 to 6 for 1080p" },
    { name: "Picture", value: orDash(size, String), hint: orDash(health?.fps, (fps) => `${Math.round(fps)} frames a second`) },
    { name: "Keyframes", value: orDash(health?.keyframe_interval_seconds, (every) => `every ${Number(every.toFixed(1))} s`), hint: latency === "low" ? "1 s is best here" : "2 s is best here" },
    { name: "Sound", value: orDash(health?.audio_codec, (codec) => codec.toUpperCase()), hint: orDash(codecs, (both) => both.toUpperCase()) },
    { name: "Timing", value: orDash(health?.drift_ms, (ms) => `${ms > 0 ? "+" : ""}${Math.round(ms)} ms`), hint: "picture against clock" },
  ];
}
