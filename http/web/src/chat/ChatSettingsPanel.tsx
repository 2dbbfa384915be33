/** How one likes the chat: a short list of switches. Esc goes back. */
import { useEffect, useRef } from "react";
import { useChatSettings, type ChatSettings } from "./useChatSettings";

const SIZES: [ChatSettings["size"], string][] = [["small", "Small"], ["medium", "Medium"], ["large", "Large"], ["huge", "Huge"]];

export default function ChatSettingsPanel({ onClose }: { onClose: () => void }) {
  const [settings, change] = useChatSettings();
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.querySelector<HTMLElement>("input:checked")?.focus(), []);
  const switches: [string, boolean, Partial<ChatSettings>][] = [
    ["Show times", settings.times, { times: !settings.times }],
    ["Show badges", settings.badges, { badges: !settings.badges }],
    ["Show where messages were removed", settings.removed, { removed: !settings.removed }],
    ["Less that moves", settings.calm, { calm: !settings.calm }],
  ];
  return (
    <div ref={panel} className="chat-settings" role="region" aria-label="Chat settings" onKeyDown={(event) => event.key === "Escape" && onClose()} data-testid="chat-settings">
      <fieldset>
        <legend>Size of the text</legend>
        <div className="chat-sizes">
          {SIZES.map(([size, words]) => (
            <label key={size}><input type="radio" name="chat-size" checked={settings.size === size} onChange={() => change({ size })} /><span>{words}</span></label>
          ))}
        </div>
      </fieldset>
      {switches.map(([words, on, next]) => (
        <label key={words} className="chat-switch"><input type="checkbox" role="switch" checked={on} onChange={() => change(next)} />{words}</label>
      ))}
    </div>
  );
}
