/** Where files come in: dropped anywhere on the page, chosen, or pasted. */
import { useEffect, useRef, useState } from "react";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import { droppedFiles } from "../upload/handles";
import { addFiles } from "../upload/queue";

export function DropZone() {
  const over = useDropAnywhere();
  return (
    <div className="dropzone" data-over={over || undefined} data-testid="dropzone">
      <Icon name="camera" size={32} />
      <p><strong>{over ? "Let go to upload" : "Drop video files anywhere on this page"}</strong></p>
      <FileButton />
      <p className="muted small">MP4, MOV, MKV, WebM, AVI and most others. You can go on after a lost connection or a closed tab, also on another device.</p>
    </div>
  );
}

type Picker = (options: { multiple: boolean; types: { description: string; accept: Record<string, string[]> }[] }) => Promise<FileSystemFileHandle[]>;

const TYPES = [{ description: "Videos", accept: { "video/*": [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".flv", ".3gp"] } }];

/** The browser's own picker that gives handles, where there is one: then a closed tab finds the file again. */
function FileButton() {
  const input = useRef<HTMLInputElement>(null);
  const choose = async () => {
    const picker = (window as { showOpenFilePicker?: Picker }).showOpenFilePicker;
    if (!picker || navigator.webdriver) {
      input.current?.click();
      return;
    }
    try {
      const handles = await picker({ multiple: true, types: TYPES });
      addFiles(await Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle }))));
    } catch (thrown) {
      if (!(thrown instanceof DOMException && thrown.name === "AbortError")) input.current?.click();
    }
  };
  return (
    <>
      <Button look="primary" onClick={() => void choose()} data-testid="choose-files">Choose files</Button>
      <input
        ref={input} type="file" multiple accept="video/*,.mkv,.ts,.flv" hidden data-testid="file-input" aria-label="Video files" tabIndex={-1}
        onChange={(event) => {
          addFiles(Array.from(event.target.files ?? [], (file) => ({ file, handle: null })));
          event.target.value = "";
        }}
      />
    </>
  );
}

function useDropAnywhere(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0; // enter and leave come for every element on the way
    const carries = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!carries(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (carries(event) && --depth <= 0) setOver(false);
    };
    const allow = (event: DragEvent) => carries(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      if (!carries(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      void droppedFiles(event.dataTransfer!).then(addFiles);
    };
    const paste = (event: ClipboardEvent) => {
      if (event.clipboardData?.files.length) void droppedFiles(event.clipboardData).then(addFiles);
    };
    document.addEventListener("dragenter", enter);
    document.addEventListener("dragleave", leave);
    document.addEventListener("dragover", allow);
    document.addEventListener("drop", drop);
    document.addEventListener("paste", paste);
    return () => {
      document.removeEventListener("dragenter", enter);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("dragover", allow);
      document.removeEventListener("drop", drop);
      document.removeEventListener("paste", paste);
    };
  }, []);
  return over;
}
