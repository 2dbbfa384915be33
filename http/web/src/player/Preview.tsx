/** The moving picture on a card: muted, the smallest quality, and gone with the pointer. */
import Hls from "hls.js";
import { useEffect, useRef, useState } from "react";
import { fetchManifest } from "../api/calls";

export default function Preview({ streamId }: { streamId: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    const element = video.current;
    const asked = new AbortController();
    let hls: Hls | null = null;
    // A poster stays when there is no preview: nobody asked for it, so nothing is said.
    fetchManifest(streamId, asked.signal).then(
      ({ url }) => {
        if (!element || asked.signal.aborted || !Hls.isSupported()) return;
        hls = new Hls({ startLevel: 0, maxBufferLength: 4, backBufferLength: 0, lowLatencyMode: false, xhrSetup: (xhr) => { xhr.withCredentials = true; } });
        hls.on(Hls.Events.ERROR, (_, { fatal }) => fatal && hls?.destroy());
        hls.autoLevelCapping = 0;
        hls.loadSource(url);
        hls.attachMedia(element);
        void element.play().catch(() => {});
      },
      () => {},
    );
    return () => {
      asked.abort();
      hls?.destroy();
    };
  }, [streamId]);
  return <video ref={video} className={ready ? "preview preview-ready" : "preview"} muted playsInline disablePictureInPicture tabIndex={-1} aria-hidden="true" onPlaying={() => setReady(true)} />;
}
