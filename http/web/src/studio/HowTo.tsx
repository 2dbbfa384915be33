/** How to send a picture: OBS step by step, and one ffmpeg command to try it without a camera. */
import type { Ingest, Latency } from "../api/types";
import { CopyButton } from "../ui/CopyButton";

interface HowToProps {
  latency: Latency;
  ingest: Ingest | null;
  /** Whether the key may stand on the screen. */
  shown: boolean;
}

const command = (latency: Latency, url: string, key: string) =>
  `ffmpeg -re -stream_loop -1 -i video.mp4 \\
  -c:v libx264 -preset veryfast -tune zerolatency -b:v 2500k -g ${latency === "low" ? 30 : 60} \\
  -c:a aac -ar 48000 -f flv "${url}/${key}"`;

export function HowTo({ latency, ingest, shown }: HowToProps) {
  const url = ingest?.url ?? "SERVER";
  const visible = command(latency, url, ingest ? (shown ? ingest.key : "••••••••") : "KEY");
  return (
    <section className="panel" aria-labelledby="howto">
      <h2 id="howto">How to send a picture</h2>
      <h3>With OBS</h3>
      <ol className="steps">
        <li>Open <b>Settings</b>, then <b>Stream</b>. As service choose <b>Custom</b>.</li>
        <li>Paste the <b>server</b> and the <b>stream key</b>{ingest ? " from above" : ", which you get in a moment"}.</li>
        <li>Under <b>Output</b> set the keyframe interval to <b>{latency === "low" ? "1 s" : "2 s"}</b>, rate control <b>CBR</b>, 2500 to 6000 kbit/s, tune <b>zerolatency</b>.</li>
        <li>Press <b>Start streaming</b>. You are live with the first picture.</li>
      </ol>
      <div className="panel-title">
        <h3>With ffmpeg, from any video file</h3>
        {ingest && <CopyButton text={command(latency, ingest.url, ingest.key)} what="ffmpeg command" />}
      </div>
      <pre className="command" tabIndex={0} aria-label="ffmpeg command">{visible}</pre>
    </section>
  );
}
