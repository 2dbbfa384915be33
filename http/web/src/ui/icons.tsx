/** Our own icons: 24 px grid, 2 px strokes, drawn in the text's colour. */
import type { ReactNode } from "react";

const PATHS = {
  play: <path d="M7 4.5v15l12-7.5z" fill="currentColor" />,
  pause: <path d="M6.5 5h4v14h-4zM13.5 5h4v14h-4z" fill="currentColor" stroke="none" />,
  volume: <path d="M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" />,
  muted: <path d="M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5" />,
  settings: <path d="M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM8 14.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z" />,
  full: <path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" />,
  unfull: <path d="M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5" />,
  theatre: <path d="M3 6h18v12H3zM15.5 6v12" />,
  pip: <path d="M3 5h18v14H3zM12.5 12H18v4.5h-5.5z" />,
  help: <path d="M9.2 9a2.9 2.9 0 1 1 4.3 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.1M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z" />,
  close: <path d="M6 6l12 12M18 6L6 18" />,
  copy: <path d="M9 9h11v11H9zM5 15H4V4h11v1" />,
  check: <path d="M5 12.5l4.5 4.5L19 7.5" />,
  eye: <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z" />,
  hidden: <path d="M4 4l16 16M9.9 5.8A9.7 9.7 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a17 17 0 0 1-2.8 3.5M6.2 7.4A16.5 16.5 0 0 0 2.5 12S6 18.5 12 18.5c1.5 0 2.9-.4 4.1-1M10 10a3 3 0 0 0 4 4.2" />,
  send: <path d="M4 12l16-8-5 16-3.5-6.5z" />,
  down: <path d="M12 5v14M6 13l6 6 6-6" />,
  people: <path d="M9 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M17.5 14.3A6.5 6.5 0 0 1 21.5 20" />,
  share: <path d="M12 15V3.5M7.5 8L12 3.5 16.5 8M5 12.5V20h14v-7.5" />,
  sun: <path d="M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />,
  moon: <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" />,
  system: <path d="M3 5h18v11H3zM9 20h6M12 16v4" />,
  warning: <path d="M12 4L2.5 20h19zM12 10v4.5M12 17.3v.1" />,
  offline: <path d="M4 4l16 16M8.5 15.5a5 5 0 0 1 6 .2M5 12a10 10 0 0 1 4-2.5M2 8.5A15 15 0 0 1 6.5 5.8M13.5 9.1A10 10 0 0 1 19 12M10.5 4.6A15 15 0 0 1 22 8.5M12 19.4v.1" />,
  user: <path d="M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4.5 20.5a7.5 7.5 0 0 1 15 0" />,
  camera: <path d="M3 7h12v10H3zM15 11l6-3.5v9L15 13z" />,
  exit: <path d="M14 4H5v16h9M10 12h11M17 8l4 4-4 4" />,
  chat: <path d="M4 5h16v11H10l-4.5 4v-4H4z" />,
  key: <path d="M8 11a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM11.2 12.3L20 3.5M16.5 7l3 3" />,
  clock: <path d="M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7.5V12l3 2" />,
  retry: <path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.4M20 4.5v4.9h-4.9" />,
  reply: <path d="M10 6L4 11.5 10 17v-3.5c5 0 8 1.5 10 5 0-6-3.5-9.5-10-9.5z" />,
  trash: <path d="M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5" />,
  ban: <path d="M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM5.8 5.8l12.4 12.4" />,
  pin: <path d="M8 3.5h8l-1 6 3 4H6l3-4zM12 13.5v7" />,
  shield: <path d="M12 3l7.5 3v6c0 4.5-3 7.5-7.5 9-4.5-1.5-7.5-4.5-7.5-9V6z" />,
  smile: <path d="M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM8.2 14.5a4.5 4.5 0 0 0 7.6 0M9 9.5v.1M15 9.5v.1" />,
  search: <path d="M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5L20.5 20.5" />,
  star: <path d="M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9-4.3-4.1 5.9-.8z" />,
  gift: <path d="M4 9h16v4H4zM5.5 13v7.5h13V13M12 9v11.5M12 9S11.5 3.5 9 3.5 7 9 12 9zM12 9s.5-5.5 3-5.5S17 9 12 9z" />,
  coin: <path d="M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM14.8 9.5a3.5 3.5 0 1 0 0 5" />,
  heart: <path d="M12 20S3.5 15 3.5 8.8A4.6 4.6 0 0 1 12 6.5a4.6 4.6 0 0 1 8.5 2.3C20.5 15 12 20 12 20z" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={2} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {PATHS[name]}
    </svg>
  );
}

/** The mark: a lamp at the stage's edge and its beam. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#17151c" />
      <path d="M16 25 6.5 8.2A20 20 0 0 1 25.5 8.2Z" fill="#ffb924" opacity=".32" />
      <path d="M16 25 11.2 7a19 19 0 0 1 9.6 0Z" fill="#ffb924" />
      <path d="M8 25a8 3.2 0 0 1 16 0Z" fill="#fff" />
    </svg>
  );
}
