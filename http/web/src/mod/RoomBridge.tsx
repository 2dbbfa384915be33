/** Holds the room of a channel that is live, so that the desk around it stays when the stream begins or ends. */
import { memo, useLayoutEffect } from "react";
import { useRoom, type LiveRoom } from "../realtime/useRoom";

interface RoomBridgeProps {
  streamId: string;
  /** Must be stable. Null when the room is left. */
  onRoom: (live: LiveRoom | null) => void;
}

export const RoomBridge = memo(function RoomBridge({ streamId, onRoom }: RoomBridgeProps) {
  const live = useRoom(streamId, { desk: true });
  useLayoutEffect(() => onRoom(live));
  useLayoutEffect(() => () => onRoom(null), [onRoom]);
  return null;
});
