/** The chosen captions as a file of this page: a <track> cannot be fetched with cookies from another port by itself. */
import { useEffect, useRef, useState } from "react";
import type { PlaybackAnswer } from "../api/videos";

const KEY = "footlight.captions";

type Known = PlaybackAnswer["captions"];

export function useCaptions(captions: Known): { language: string | null; choose: (language: string | null) => void; toggle: () => void; source: string | null } {
  const [language, setLanguage] = useState<string | null>(recall);
  const [source, setSource] = useState<string | null>(null);
  const last = useRef(language);
  const wanted = captions.find((each) => each.language === language);
  const url = wanted?.url ?? null;
  useEffect(() => {
    setSource(null);
    if (!url) return;
    const left = new AbortController();
    let made: string | null = null;
    fetch(url, { credentials: "include", signal: left.signal })
      .then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(String(answer.status)))))
      .then((text) => {
        made = URL.createObjectURL(new Blob([text], { type: "text/vtt" }));
        setSource(made);
      })
      .catch(() => undefined); // the video plays on without
    return () => {
      left.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [url]);
  const choose = (next: string | null) => {
    if (next) last.current = next;
    setLanguage(next);
    try {
      localStorage.setItem(KEY, next ?? "");
    } catch {
      // Then it is for this page only.
    }
  };
  const toggle = () => choose(wanted ? null : (captions.find((each) => each.language === last.current) ?? captions[0])?.language ?? null);
  return { language: wanted ? language : null, choose, toggle, source };
}

function recall(): string | null {
  try {
    return localStorage.getItem(KEY) || null;
  } catch {
    return null;
  }
}
