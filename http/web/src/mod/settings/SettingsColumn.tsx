/** What holds in this channel, in six parts. */
import { useId, useRef, useState, type KeyboardEvent } from "react";
import { AutoModPart } from "./AutoModPart";
import { BansPart } from "./BansPart";
import { ModesPart } from "./ModesPart";
import { RequestsPart } from "./RequestsPart";
import { RolesPart } from "./RolesPart";
import { TermsPart } from "./TermsPart";

const PARTS = [
  { name: "Modes", Part: ModesPart },
  { name: "AutoMod", Part: AutoModPart },
  { name: "Terms", Part: TermsPart },
  { name: "Roles", Part: RolesPart },
  { name: "Bans", Part: BansPart },
  { name: "Requests", Part: RequestsPart },
] as const;

/** `news` grows when something was done that changes what is shown here. */
export function SettingsColumn({ news }: { news: number }) {
  const [chosen, setChosen] = useState(0);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set([0]));
  const id = useId();
  const tabs = useRef<HTMLDivElement>(null);
  const choose = (index: number) => {
    setChosen(index);
    setOpened(new Set([...opened, index]));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const to = (chosen + by + PARTS.length) % PARTS.length;
    choose(to);
    tabs.current?.querySelectorAll<HTMLElement>("[role=tab]")[to]?.focus();
  };
  return (
    <>
      <div ref={tabs} className="desk-tabs" role="tablist" aria-label="Settings" onKeyDown={onKeyDown}>
        {PARTS.map(({ name }, index) => (
          <button key={name} id={`${id}-tab-${index}`} type="button" role="tab" aria-selected={index === chosen} aria-controls={`${id}-part-${index}`} tabIndex={index === chosen ? 0 : -1} onClick={() => choose(index)}>{name}</button>
        ))}
      </div>
      {/* A part that was opened stays, so that nothing typed in it is lost. */}
      {PARTS.map(({ name, Part }, index) => (
        <div key={name} id={`${id}-part-${index}`} className="desk-pane" role="tabpanel" aria-labelledby={`${id}-tab-${index}`} hidden={index !== chosen} tabIndex={0}>
          {opened.has(index) && <Part news={news} />}
        </div>
      ))}
    </>
  );
}
