/** The moderators' desk: one or several channels side by side, every action by keyboard and by pointer. */
import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { Navigate, useLocation, useParams, useSearchParams } from "react-router";
import type { Done, LogFilter } from "../api/channels";
import { useTitle } from "../layout/useTitle";
import { useSession } from "../session/SessionProvider";
import { Icon } from "../ui/icons";
import { Button, IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";
import { PageSkeleton } from "../ui/Skeleton";
import { AddChannel } from "./AddChannel";
import { ChannelDesk, type ChannelControls } from "./ChannelDesk";
import { COLUMN_TITLES, addChannel, arrangeChannel, columnsOf, firstLayout, MAX_CHANNELS, moveColumn, recallLayout, rememberLayout, removeChannel, resizeColumn, showColumn, type Column, type ColumnName, type DeskLayout } from "./layout";
import { DeskList } from "./DeskList";
import { ShortcutSheet } from "./ShortcutSheet";
import { speaker, type News } from "./speech";
import { marked, newest, offered, without, type Undoable } from "./undo";
import { UndoToasts } from "./UndoToasts";
import { useDeskKeys } from "./useDeskKeys";
import { usePhone } from "./usePhone";
import { refusalOf } from "./useActions";
import "../ui/badges.css";
import "../ui/field.css";
import "./desk.css";

const FILTERS = ["actor", "target", "action", "from", "to"] as const;

/** All the desks that are open to who is signed in. */
export function Desks() {
  const { user } = useSession();
  useTitle("Moderators' desks");
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: "/mod" }} replace />;
  return <DeskList />;
}

export default function Desk() {
  const { channelId = "" } = useParams();
  const { user } = useSession();
  const { pathname } = useLocation();
  useTitle("Moderators' desk");
  if (user === undefined) return <PageSkeleton />;
  if (!user) return <Navigate to="/signin" state={{ from: pathname }} replace />;
  return <DeskPage key={channelId} first={channelId} />;
}

function DeskPage({ first }: { first: string }) {
  const [layout, setLayout] = useLayout();
  const [focus, setFocus] = useState<{ channel: string; column: ColumnName }>({ channel: first, column: "chat" });
  const [help, setHelp] = useState(false);
  const [spoken, tell] = useSpeech();
  const controls = useRef(new Map<string, ChannelControls>());
  const undo = useUndo(controls, tell);
  const [filter, setFilter] = useFilter();
  const [others, setOthers] = useState<Record<string, LogFilter>>({});
  const phone = usePhone();

  const channels = [first, ...layout.beside.filter((id) => id !== first)];
  const here = channels.includes(focus.channel) ? focus.channel : first;
  const shown = columnsOf(layout, here).filter((column) => column.shown);
  const active = shown.some((column) => column.name === focus.column) ? focus.column : (shown[0]?.name ?? "chat");
  const arrange = (channel: string, change: (before: DeskLayout) => DeskLayout) => setLayout((before) => arrangeChannel(before, channel === first ? null : channel, change));
  const activate = useMemo(() => Object.fromEntries(channels.map((channel) => [channel, (column: ColumnName) => {
    setLayout((before) => arrangeChannel(before, channel === first ? null : channel, (mine) => shownColumn(mine, column)));
    setFocus((now) => (now.channel === channel && now.column === column ? now : { channel, column }));
  }])), [channels.join(" "), first, setLayout]);
  const go = (channel: string, column: ColumnName) => {
    setFocus({ channel, column });
    // After the column is shown, which on a phone it is only then.
    requestAnimationFrame(() => controls.current.get(channel)?.focus(column));
  };
  useDeskKeys({ controls, channels, channel: here, column: active, shown, go, undo: undo.last, help: () => setHelp(true), on: !help });

  return (
    <div className={phone ? "desk desk-phone" : "desk"} data-testid="desk">
      <header className="desk-head">
        <h1>Moderators' desk</h1>
        <AddChannel first={first} shown={channels} full={channels.length >= MAX_CHANNELS} onAdd={(id) => setLayout((before) => addChannel(before, first, id))} />
        <ColumnsMenu columns={columnsOf(layout, here)} onShow={(name, on) => arrange(here, (before) => showColumn(before, name, on))} onReset={() => arrange(here, (before) => ({ ...before, columns: firstLayout.columns }))} />
        <IconButton icon="help" label="Keyboard shortcuts" onClick={() => setHelp(true)} data-testid="desk-help" />
      </header>
      {phone && channels.length > 1 && (
        <nav className="desk-switch-channel" aria-label="Channels">
          {channels.map((channel, index) => <Button key={channel} small look={channel === here ? "primary" : "plain"} aria-current={channel === here || undefined} onClick={() => setFocus({ channel, column: active })}>Channel {index + 1}</Button>)}
        </nav>
      )}
      {phone && <ColumnTabs columns={shown} chosen={active} onChoose={(column) => go(here, column)} />}
      <div className="desk-channels">
        {channels.map((channel) => (
          <div key={channel} className="desk-slot" hidden={phone && channel !== here}>
            <ChannelDesk
              channelId={channel} columns={columnsOf(layout, channel)} only={phone ? active : null} active={channel === here ? active : null}
              filter={channel === first ? filter : (others[channel] ?? NO_FILTER)}
              onFilter={channel === first ? setFilter : (next) => setOthers((before) => ({ ...before, [channel]: next }))}
              onActive={activate[channel]!} controls={controls} tell={tell} onDone={undo.offer}
              onArrange={(name, change) => arrange(channel, (before) => arranged(before, name, change))}
              onRemove={channel === first ? null : () => setLayout((before) => removeChannel(before, channel))}
            />
          </div>
        ))}
      </div>
      <UndoToasts all={undo.all} onUndo={undo.undo} />
      <ShortcutSheet open={help} onClose={() => setHelp(false)} columns={shown} />
      <p className="sr-only" aria-live="polite" data-testid="desk-spoken">{spoken}</p>
    </div>
  );
}

const NO_FILTER: LogFilter = {};

/** A column that is shown already changes nothing, so that a focus alone stores nothing. */
const shownColumn = (layout: DeskLayout, name: ColumnName) => (layout.columns.some((column) => column.name === name && column.shown) ? layout : showColumn(layout, name, true));

function arranged(layout: DeskLayout, name: ColumnName, { move, show, width }: { move?: -1 | 1; show?: boolean; width?: number }): DeskLayout {
  if (move) return moveColumn(layout, name, move);
  if (show !== undefined) return showColumn(layout, name, show);
  return width === undefined ? layout : resizeColumn(layout, name, width);
}

function useLayout(): [DeskLayout, (change: (before: DeskLayout) => DeskLayout) => void] {
  const [layout, setLayout] = useState(recallLayout);
  useEffect(() => rememberLayout(layout), [layout]);
  return [layout, setLayout];
}

function useSpeech(): [string, (news: News) => void] {
  const [spoken, setSpoken] = useState("");
  const voice = useRef<ReturnType<typeof speaker> | null>(null);
  useEffect(() => {
    // The same words twice are another announcement; without a change nothing would be read.
    const made = speaker((words) => setSpoken((before) => (before === words ? `${words}\u00a0` : words)));
    voice.current = made;
    return made.stop;
  }, []);
  return [spoken, useCallback((news: News) => voice.current?.tell(news), [])];
}

/** The log's filter of the channel in the address stands in the address too, so that it can be kept and passed on. */
function useFilter(): [LogFilter, (filter: LogFilter) => void] {
  const [search, setSearch] = useSearchParams();
  const written = search.toString();
  const filter = useMemo(() => {
    const params = new URLSearchParams(written);
    return Object.fromEntries(FILTERS.flatMap((name) => (params.get(name) ? [[name, params.get(name)!]] : []))) as LogFilter;
  }, [written]);
  const change = (next: LogFilter) => setSearch(Object.fromEntries(FILTERS.flatMap((name) => (next[name] ? [[name, next[name]]] : []))), { replace: true });
  return [filter, change];
}

function useUndo(controls: RefObject<Map<string, ChannelControls>>, tell: (news: News) => void) {
  const [all, setAll] = useState<Undoable[]>([]);
  const latest = useRef(all);
  latest.current = all;
  const offer = useCallback(
    (channelId: string, done: Done) => {
      tell({ kind: "done", words: done.message || "Done" });
      const { action_id: actionId, undo_until: until, message } = done;
      if (actionId && until) setAll((before) => offered(before, { channelId, actionId, until, words: message || "Done" }));
    },
    [tell],
  );
  const undo = useCallback(
    (one: Undoable) => {
      const control = controls.current.get(one.channelId);
      if (!control || one.state === "undoing") return;
      setAll((before) => marked(before, one.actionId, "undoing"));
      control.undo(one.actionId).then(
        () => setAll((before) => without(before, one.actionId)),
        (thrown: unknown) => {
          const refusal = refusalOf(thrown);
          tell({ kind: "done", words: refusal });
          setAll((before) => marked(before, one.actionId, "refused", refusal));
        },
      );
    },
    [controls, tell],
  );
  const last = useCallback(() => {
    const one = newest(latest.current, Date.now());
    if (one) undo(one);
    else tell({ kind: "done", words: "There is nothing to undo" });
  }, [undo, tell]);
  return { all, offer, undo, last };
}

function ColumnTabs({ columns, chosen, onChoose }: { columns: Column[]; chosen: ColumnName; onChoose: (name: ColumnName) => void }) {
  return (
    <nav className="desk-tabs" aria-label="Columns">
      {columns.map(({ name }) => <button key={name} type="button" aria-current={name === chosen ? "true" : undefined} onClick={() => onChoose(name)} data-testid={`tab-${name}`}>{COLUMN_TITLES[name]}</button>)}
    </nav>
  );
}

function ColumnsMenu({ columns, onShow, onReset }: { columns: Column[]; onShow: (name: ColumnName, on: boolean) => void; onReset: () => void }) {
  return (
    <Menu label="Columns" trigger={<Icon name="theatre" />} testId="columns-menu">
      {(close) => (
        <>
          {columns.map(({ name, shown }) => (
            <button key={name} type="button" role="menuitemcheckbox" aria-checked={shown} className="menu-item" onClick={() => onShow(name, !shown)}>
              {COLUMN_TITLES[name]}{shown && <span className="menu-check"><Icon name="check" size={18} /></span>}
            </button>
          ))}
          <hr />
          <button type="button" role="menuitem" className="menu-item" onClick={() => { close(); onReset(); }}>As in the beginning</button>
        </>
      )}
    </Menu>
  );
}
