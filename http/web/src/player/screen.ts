/** Full screen and picture in picture, where the browser has them. */
import { useEffect, useState, type RefObject } from "react";

interface PhoneVideo extends HTMLVideoElement {
  /** iPhones put only a video itself on the full screen. */
  webkitEnterFullscreen?: () => void;
}

export function useFullscreen(frame: RefObject<HTMLElement | null>, video: RefObject<HTMLVideoElement | null>): [boolean, () => void] {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const changed = () => setFull(document.fullscreenElement === frame.current && frame.current !== null);
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, [frame]);
  const toggle = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (frame.current?.requestFullscreen) frame.current.requestFullscreen().catch(() => {});
    else (video.current as PhoneVideo | null)?.webkitEnterFullscreen?.();
  };
  return [full, toggle];
}

export function usePictureInPicture(video: RefObject<HTMLVideoElement | null>): [boolean, () => void] {
  const toggle = () => {
    if (document.pictureInPictureElement) void document.exitPictureInPicture();
    else video.current?.requestPictureInPicture().catch(() => {});
  };
  return [document.pictureInPictureEnabled === true, toggle];
}
