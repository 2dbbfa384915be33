/** One channel on the desk: its room, its lists, and what keys and buttons do in it. */
import { useEffect, useMemo, useRef, useState, type ReactNode, type RefObject } from "react";
import { fetchChannel, type Channel, type Done, type LogFilter } from "../api/channels";
import type { Ruling } from "../realtime/events";
import type { LiveRoom } from "../realtime/useRoom";
import { usePolling } from "../pages/usePolling";
import { useSession } from "../session/SessionProvider";
import { Button, ButtonLink } from "../ui/Button";
import { Message } from "../ui/Message";
import { Skeleton } from "../ui/Skeleton";
import { CardColumn } from "./CardColumn";
import { ChannelProvider, type ChannelDesk as Desk, type Somebody } from "./ChannelContext";
import { ChatColumn } from "./ChatColumn";
import { ColumnFrame } from "./ColumnFrame";
import { decide, decideHeld, type Command, type Decision, type Question } from "./deeds";
import { HeldColumn } from "./HeldColumn";
import type { HeldLine } from "./held";
import type { KeyDeed } from "./keys";
import type { Column, ColumnName } from "./layout";
import { chatItems, saidAt, targetOf, type ChatItem } from "./lines";
import { LogColumn } from "./LogColumn";
import { Overlay } from "./Overlay";
import { QuestionBar } from "./QuestionBar";
import { RoomBridge } from "./RoomBridge";
import { canReverse } from "./rulings";
import { SettingsColumn } from "./settings/SettingsColumn";
import type { News } from "./speech";
import { refusalOf, useActions } from "./useActions";
import { useHeld } from "./useHeld";
import { useRulings } from "./useRulings";
import { useStill } from "./useStill";

export interface ChannelControls {
  /** Do what a key means in a column; false when it means nothing there. */
  deed: (deed: KeyDeed, column: ColumnName) => boolean;
  undo: (actionId: string) => Promise<unknown>;
  focus: (column: ColumnName) => void;
}

export interface ChannelDeskProps {
  channelId: string;
  columns: Column[];
  /** The only column that is shown, on a phone. */
  only: ColumnName | null;
  active: ColumnName | null;
  filter: LogFilter;
  onFilter: (filter: LogFilter) => void;
  onActive: (column: ColumnName) => void;
  onArrange: (name: ColumnName, change: { move?: -1 | 1; show?: boolean; width?: number }) => void;
  /** Take this channel off the desk; not for the one in the address. */
  onRemove: (() => void) | null;
  onDone: (channelId: string, done: Done) => void;
  tell: (news: News) => void;
  controls: RefObject<Map<string, ChannelControls>>;
}

/** A stream that begins is found this soon. */
const REFRESH_MS = 15_000;
/** So many of the newest lines are shown while nothing is selected. */
const LIVE_LINES = 300;

export function ChannelDesk(props: ChannelDeskProps) {
  const { channelId, onRemove } = props;
  const { value, error, ask } = usePolling((signal) => fetchChannel(channelId, signal), REFRESH_MS);
  const [live, setLive] = useState<LiveRoom | null>(null);
  const streamId = value?.channel.live_stream_id ?? null;
  const remove = onRemove && <Button onClick={onRemove}>Take it off the desk</Button>;
  // What the room says of us is newer than what was asked a moment ago.
  const capabilities = (live?.room.joined ? live.you?.capabilities : undefined) ?? value?.me.capabilities ?? [];
  const status = live?.room.stream?.status;
  useEffect(() => {
    if (status === "ended") ask();
  }, [status, ask]);

  if (!value && !error) return <section className="desk-channel" aria-label="Loading a channel"><div className="desk-loading"><Skeleton height={40} /><Skeleton height={300} /></div></section>;
  if (!value) {
    const unknown = error?.status === 404 || error?.status === 400;
    return (
      <section className="desk-channel" aria-label="Channel">
        <Message icon={unknown ? "warning" : "offline"} level={2} title={unknown ? "There is no such channel" : "The channel could not be loaded"} testId="desk-missing" action={<>{!unknown && <Button look="primary" icon="retry" onClick={ask}>Try again</Button>}{remove}</>}>{error?.message}</Message>
      </section>
    );
  }
  if (!capabilities.includes("see_private")) {
    return (
      <section className="desk-channel" aria-label={value.channel.display_name}>
        <Message icon="key" level={2} title={`You do not moderate ${value.channel.display_name}`} testId="desk-not-moderator" action={<><Button look="primary" icon="retry" onClick={ask}>Ask again</Button>{streamId && <ButtonLink to={`/watch/${streamId}`}>Watch the stream</ButtonLink>}{remove}</>}>
          Only the broadcaster and the moderators they appoint can open this desk. Ask the broadcaster to appoint you.
        </Message>
      </section>
    );
  }
  return (
    <>
      {streamId && <RoomBridge key={streamId} streamId={streamId} onRoom={setLive} />}
      <OpenDesk {...props} info={value} live={live} capabilities={capabilities} />
    </>
  );
}

type OpenProps = ChannelDeskProps & { info: Channel; live: LiveRoom | null; capabilities: string[] };

function OpenDesk(props: OpenProps) {
  const { channelId, info, live, capabilities, filter, onFilter, onDone, tell } = props;
  const { user } = useSession();
  const myId = user?.id ?? null;
  const liveNow = useRef(live);
  liveNow.current = live;

  const items = useMemo(() => (live ? chatItems(live.room) : []), [live?.room.entries, live?.room.dropped, live === null]);
  // A flood would grow the page; what is held keeps all that it shows, and counts and reaches all that came since.
  const newestItems = useMemo(() => items.slice(-LIVE_LINES), [items]);
  const chatHeld = useRef(false);
  const chat = useStill<ChatItem>(chatHeld.current ? items : newestItems, "last", items);
  chatHeld.current = chat.held;
  const queue = useHeld(channelId, live, tell);
  const held = useStill<HeldLine>(queue.lines, "last", queue.all);
  const log = useRulings(channelId, live, filter);
  const rulings = useStill<Ruling>(log.rulings, "first");
  const [person, setPerson] = useState<Somebody | null>(null);
  const [question, setQuestion] = useState<{ question: Question; column: ColumnName } | null>(null);
  const [problem, setProblem] = useState<{ column: ColumnName; words: string } | null>(null);
  const [news, setNews] = useState(0);
  const drafts = useRef(new Map<string, string>());
  const section = useRef<HTMLElement>(null);

  const { again } = log;
  const actions = useActions(channelId, liveNow, (done, command) => {
    // What was taken back is not offered to be taken back once more.
    onDone(channelId, command.type === "undo" ? { ...done, undo_until: null } : done);
    setNews((count) => count + 1);
    if (!liveNow.current?.room.joined) again();
  });
  const { run, runOn } = actions;
  useNews(live, items, tell, setNews);
  useKeepLines(live, chat.held);
  useCardFollows(chat, setPerson);
  useCardFollowsHeld(held, setPerson);

  const desk = useMemo<Desk>(
    () => ({
      id: channelId, info, myId, live, run, tell,
      may: (capability) => capabilities.includes(capability),
      ask: (asked, column) => setQuestion({ question: asked, column }),
      openCard: (somebody) => {
        setPerson({ id: somebody.id, name: somebody.name });
        props.onActive("card");
      },
    }),
    [channelId, info, myId, live, run, tell, capabilities, props.onActive],
  );

  const say = (column: ColumnName, words: string) => {
    setProblem({ column, words });
  };
  const carryOut = (decision: Decision, column: ColumnName): boolean => {
    setProblem(null);
    if ("refuse" in decision) say(column, decision.refuse);
    else if ("ask" in decision) setQuestion({ question: decision.ask, column });
    else {
      const { command, lineId } = decision;
      const fate = command.type === "approve" ? "approved" : command.type === "deny" ? "denied" : null;
      // A refused decision is written on the held message itself, and said aloud.
      if (fate && lineId) queue.decide(lineId, fate, run(command)).catch((thrown: unknown) => tell({ kind: "done", words: refusalOf(thrown) }));
      else (lineId && command.type === "delete" ? runOn(lineId, command) : run(command)).catch((thrown: unknown) => say(column, refusalOf(thrown)));
    }
    return true;
  };
  const reverse = () => {
    const ruling = rulings.current();
    if (!ruling) return false;
    if (!canReverse(ruling)) return carryOut({ refuse: "This cannot be taken back." }, "log");
    return carryOut({ command: { type: "undo", body: { action_id: ruling.id } } }, "log");
  };
  const act = (deed: KeyDeed, column: ColumnName): boolean => {
    if (column === "held") {
      const line = held.current();
      if (!line) return carryOut({ refuse: "Select a held message first, with J or K." }, column);
      if (line.fate !== "waiting" && (deed === "approve" || deed === "deny" || deed === "claim")) return carryOut({ refuse: "This message was decided already." }, column);
      return carryOut(decideHeld(deed, line.held, myId), column);
    }
    if (deed === "approve" || deed === "deny" || deed === "claim") return false;
    const target = column === "chat" ? chatTarget(chat.current()) : column === "log" ? rulingTarget(rulings.current()) : person ? { userId: person.id, name: person.name } : null;
    if (!target) return column === "chat" || column === "log" ? carryOut({ refuse: "Select a line first, with J or K." }, column) : false;
    return carryOut(decide(deed, target), column);
  };
  useControls(props, { act, reverse, undo: (actionId) => run({ type: "undo", body: { action_id: actionId } }), chat, held, rulings, question, setQuestion, setProblem, section, setPerson, person });

  const answerQuestion = async (command: Command) => {
    await run(command);
  };
  const closeQuestion = (column: ColumnName) => {
    setQuestion(null);
    focusColumn(section.current, column);
  };
  const listId = (name: ColumnName) => `${name}-${channelId}`;
  const contents: Record<ColumnName, () => ReactNode> = {
    chat: () => <ChatColumn list={chat} going={actions.going} listId={listId("chat")} onDeed={(deed) => void act(deed, "chat")} />,
    held: () => <HeldColumn queue={queue} list={held} listId={listId("held")} onDeed={(deed) => void act(deed, "held")} />,
    log: () => <LogColumn log={log} list={rulings} listId={listId("log")} filter={filter} onFilter={onFilter} onReverse={reverse} />,
    card: () => <CardColumn person={person} news={news} drafts={drafts.current} />,
    settings: () => <SettingsColumn news={news} />,
  };
  const counts: Partial<Record<ColumnName, number>> = { held: queue.lines.length };
  const shown = props.columns.filter((column) => column.shown);
  return (
    <ChannelProvider value={desk}>
      <section ref={section} className="desk-channel" aria-label={info.channel.display_name} data-testid="desk-channel" data-channel={channelId} data-joined={live?.room.joined ?? false}>
        <header className="desk-channel-head">
          <h2>{info.channel.display_name}</h2>
          {live ? <span className="badge badge-live">Live</span> : <span className="badge">Not live</span>}
          {live?.room.viewers != null && <span className="muted small">{live.room.viewers} watching</span>}
          {live?.room.settings.shield && <span className="badge badge-interrupted">Shield</span>}
          {props.onRemove && <Button small look="quiet" onClick={props.onRemove}>Take off the desk</Button>}
        </header>
        <div className="desk-columns">
          {shown.map((column, index) => (
            <ColumnFrame
              key={column.name} column={column} of={info.channel.display_name} first={index === 0} last={index === shown.length - 1} count={counts[column.name] ?? 0}
              hidden={props.only !== null && props.only !== column.name} single={props.only !== null} active={props.active === column.name}
              onActive={() => props.onActive(column.name)} onArrange={(change) => props.onArrange(column.name, change)}
            >
              {contents[column.name]()}
              {problem?.column === column.name && (
                <Overlay key={problem.words}><p className="desk-problem field-error" role="alert" data-testid="desk-problem">{problem.words} <button type="button" className="desk-link" onClick={() => setProblem(null)}>Close</button></p></Overlay>
              )}
              {question?.column === column.name && (
                <Overlay key={`${question.question.kind} ${question.question.target.userId}`}><QuestionBar question={question.question} onAnswer={answerQuestion} onClose={() => closeQuestion(column.name)} /></Overlay>
              )}
            </ColumnFrame>
          ))}
        </div>
      </section>
    </ChannelProvider>
  );
}

const chatTarget = (item: ChatItem | null) => (item ? targetOf(item) : null);
const rulingTarget = (ruling: Ruling | null) => (ruling?.target ? { userId: ruling.target.id, name: ruling.target.name } : null);

function focusColumn(section: HTMLElement | null, column: ColumnName) {
  const frame = section?.querySelector<HTMLElement>(`[data-column="${column}"]`);
  // The list before what arranges the column, which stands above it.
  const first = ["[role=listbox]", "[role=tab][tabindex='0']", "input", "button"].map((one) => frame?.querySelector<HTMLElement>(one)).find(Boolean);
  first?.focus({ preventScroll: true });
}

/** New messages and removals, for who listens; and that the card and the settings may have changed. */
function useNews(live: LiveRoom | null, items: ChatItem[], tell: (news: News) => void, setNews: (change: (count: number) => number) => void) {
  const last = useRef<string | null>(null);
  const newest = items.at(-1)?.id ?? null;
  useEffect(() => {
    if (newest === null) return;
    const before = last.current;
    last.current = newest;
    // What was there already when one came in is read by moving through it.
    for (let number = Number(before ?? newest) + 1; number <= Number(newest); number += 1) tell({ kind: "message" });
  }, [newest, tell]);
  const onDesk = live?.onDesk;
  useEffect(
    () =>
      onDesk?.((one) => {
        if (one.event !== "mod:acted") return;
        setNews((count) => count + 1);
        if (["delete", "timeout", "ban", "clear"].includes(one.body.ruling.action)) tell({ kind: "removed" });
      }),
    [onDesk, tell, setNews],
  );
}

/** Lines are kept longer while one of them is selected. */
function useKeepLines(live: LiveRoom | null, held: boolean) {
  const hold = live?.hold;
  useEffect(() => hold?.(held), [hold, held]);
}

function useCardFollows(chat: { selected: string | null; current: () => ChatItem | null }, show: (person: Somebody) => void) {
  useEffect(() => {
    const item = chat.current();
    const said = item && saidAt(item);
    if (said) show({ id: said.user.id, name: said.user.name });
    // Only when another line is selected, not when lines change.
  }, [chat.selected]);
}

function useCardFollowsHeld(held: { selected: string | null; current: () => HeldLine | null }, show: (person: Somebody) => void) {
  useEffect(() => {
    const line = held.current();
    if (line) show({ id: line.held.user.id, name: line.held.user.name });
  }, [held.selected]);
}

interface Parts {
  act: (deed: KeyDeed, column: ColumnName) => boolean;
  reverse: () => boolean;
  undo: (actionId: string) => Promise<unknown>;
  chat: ReturnType<typeof useStill<ChatItem>>;
  held: ReturnType<typeof useStill<HeldLine>>;
  rulings: ReturnType<typeof useStill<Ruling>>;
  question: { question: Question; column: ColumnName } | null;
  setQuestion: (question: null) => void;
  setProblem: (problem: null) => void;
  section: RefObject<HTMLElement | null>;
  person: Somebody | null;
  setPerson: (person: Somebody) => void;
}

/** What the page's one key handler can ask of this channel. */
function useControls({ channelId, controls, onActive }: ChannelDeskProps, parts: Parts) {
  const latest = useRef(parts);
  latest.current = parts;
  useEffect(() => {
    const listOf = (column: ColumnName) => (column === "chat" ? latest.current.chat : column === "held" ? latest.current.held : column === "log" ? latest.current.rulings : null);
    const map = controls.current;
    map.set(channelId, {
      focus: (column) => focusColumn(latest.current.section.current, column),
      undo: (actionId) => latest.current.undo(actionId),
      deed: (deed, column) => {
        const { act, reverse, section } = latest.current;
        const list = listOf(column);
        switch (deed) {
          case "next":
          case "previous":
            list?.move(deed === "next" ? 1 : -1);
            if (list) list.listRef.current?.focus({ preventScroll: true });
            return list !== null;
          case "live":
            list?.goLive();
            return list !== null;
          case "first":
            list?.toFirst();
            return list !== null;
          case "leave":
            latest.current.setProblem(null);
            if (latest.current.question) latest.current.setQuestion(null);
            else list?.goLive();
            return true;
          case "command":
            focusSoon(section, "[data-command]", () => onActive("chat"));
            return true;
          case "notes":
            focusSoon(section, "[data-note]", () => onActive("card"), 1500);
            return true;
          case "open": {
            const ruling = column === "log" ? latest.current.rulings.current() : null;
            if (ruling?.target) latest.current.setPerson({ id: ruling.target.id, name: ruling.target.name });
            onActive("card");
            focusColumn(section.current, "card");
            return true;
          }
          case "undo":
            return column === "log" && latest.current.rulings.selected !== null ? reverse() : false;
          default:
            return act(deed, column);
        }
      },
    });
    return () => void map.delete(channelId);
  }, [channelId, controls, onActive]);
}

/** The field may only appear once its column is shown or its answer came. */
function focusSoon(section: RefObject<HTMLElement | null>, selector: string, show: () => void, withinMs = 300) {
  show();
  const until = Date.now() + withinMs;
  const attempt = () => {
    const field = section.current?.querySelector<HTMLElement>(selector);
    if (field && field.offsetParent !== null) field.focus();
    else if (Date.now() < until) requestAnimationFrame(attempt);
  };
  requestAnimationFrame(attempt);
}
