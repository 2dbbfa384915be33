/**
 * Which file on this device an unfinished upload came from, where the browser can remember such a thing (Chromium: a
 * handle in IndexedDB, good only after the person allows it again). Elsewhere the person chooses the file again.
 */
const NAME = "footlight.uploads";
const STORE = "handles";

interface Handle extends FileSystemFileHandle {
  queryPermission?: (options: { mode: "read" }) => Promise<PermissionState>;
  requestPermission?: (options: { mode: "read" }) => Promise<PermissionState>;
}

export async function rememberHandle(videoId: string, handle: FileSystemFileHandle): Promise<void> {
  await within((store) => store.put(handle, videoId)).catch(() => undefined);
}

export async function forgetHandle(videoId: string): Promise<void> {
  await within((store) => store.delete(videoId)).catch(() => undefined);
}

export async function hasHandle(videoId: string): Promise<boolean> {
  return (await recall(videoId)) !== undefined;
}

/** The file again; null when the browser does not know it, the person says no, or it is gone. Call it from a press. */
export async function fileAgain(videoId: string): Promise<File | null> {
  const handle = await recall(videoId);
  if (!handle) return null;
  try {
    if ((await handle.queryPermission?.({ mode: "read" })) !== "granted") {
      if ((await handle.requestPermission?.({ mode: "read" })) !== "granted") return null;
    }
    return await handle.getFile();
  } catch {
    return null; // moved or deleted since
  }
}

const recall = (videoId: string) => within((store) => store.get(videoId)).catch(() => undefined) as Promise<Handle | undefined>;

function within<Value>(act: (store: IDBObjectStore) => IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const asked = act(database.transaction(STORE, "readwrite").objectStore(STORE));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
      asked.transaction!.oncomplete = () => database.close();
    };
  });
}

/** The files of a drop or a paste, with their handles where the browser gives any. Call it before the event is over. */
export async function droppedFiles(transfer: DataTransfer): Promise<{ file: File; handle: FileSystemFileHandle | null }[]> {
  const items = Array.from(transfer.items).filter((item) => item.kind === "file");
  const found = items.map((item) => {
    const file = item.getAsFile();
    const ask = (item as DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> }).getAsFileSystemHandle;
    return { file, handle: ask ? ask.call(item).catch(() => null) : Promise.resolve(null) };
  });
  const files = [];
  for (const { file, handle: asked } of found) {
    const handle = await asked;
    if (file && handle?.kind !== "directory") files.push({ file, handle: handle as FileSystemFileHandle | null });
  }
  return files;
}
