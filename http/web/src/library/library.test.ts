import { describe, expect, it } from "vitest";
import { cleanTags } from "./tags";
import { makingWords } from "./VideoRow";
import { stateWords } from "./UploadList";
import type { QueuedUpload } from "../upload/queue";

const upload: QueuedUpload = { key: "k", videoId: "v", name: "a.mp4", title: "A", sizeBytes: 1000, state: "sending", sentBytes: 500, bytesPerSecond: 100, problem: null };

describe("the library's words", () => {
  it("make tags of what people type", () => {
    expect(cleanTags("cats, #Dogs , cats,,\nBIRDS")).toEqual(["cats", "Dogs", "BIRDS"]);
  });

  it("say how far an upload is, how fast it goes and how long it takes", () => {
    expect(stateWords(upload, 50)).toBe("50 % · 100 bytes/s · 5 s left");
    expect(stateWords({ ...upload, bytesPerSecond: null }, 50)).toBe("50 %");
    expect(stateWords({ ...upload, state: "paused" }, 50)).toBe("Paused at 50 %");
    expect(stateWords({ ...upload, state: "failed", problem: "No." }, 50)).toBe("No.");
  });

  it("say how the making of a video goes", () => {
    const progress = { video_id: "v", status: "processing", stage: "encoding", done: 0.424, eta_seconds: 12, playable: true, attempt: 2, message: null } as const;
    expect(makingWords({ playable: true }, progress)).toBe("Encoding 42 % · 12 s left · can be watched already · attempt 2");
    expect(makingWords({ playable: false }, null)).toBe("Being made ready");
  });
});
