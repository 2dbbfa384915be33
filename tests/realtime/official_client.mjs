// The official Socket.IO client does the story of one viewer and prints what it saw as JSON.
// Arguments: path of socket.io-client, URL, token, stream id.
import { createRequire } from "node:module";
const { io } = createRequire(import.meta.url)(process.argv[2]);
const [url, token, streamId] = process.argv.slice(3);
const seen = { chat: [], errors: [] };
const socket = io(url, { transports: ["websocket"], auth: { token }, reconnection: false });
const heard = new Promise((resolve) => socket.on("chat", (entries) => { seen.chat.push(...entries); resolve(); }));
socket.on("connect", async () => {
  seen.joined = await socket.emitWithAck("room:join", { stream_id: streamId });
  seen.refused = await socket.emitWithAck("chat:send", { stream_id: streamId, id: "message-0", text: "" });
  seen.sent = await socket.emitWithAck("chat:send", { stream_id: streamId, id: "message-1", text: "héllo ✓" });
  await heard;
  const stranger = io(url, { transports: ["websocket"], auth: { token: "wrong" }, reconnection: false, forceNew: true });
  stranger.on("connect_error", (error) => {
    seen.errors.push({ message: error.message, data: error.data });
    stranger.close();
    socket.once("disconnect", (reason) => {
      seen.reason = reason;
      console.log(JSON.stringify(seen));
    });
    socket.on("session:closing", (closing) => { seen.closing = closing; });
    socket.io.engine.write("42[\"disconnect\"]"); // what a hostile client would do
  });
});
