// The lock file names no host: `omit-lockfile-registry-resolved` leaves out where packages came from,
// and this leaves out where their authors ask for money, so that a lock made anywhere is the same file.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
}
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
