/** How much AutoMod lets through, from nothing asked to nearly nothing let through. */
import { useCallback, useEffect, useId, useState } from "react";
import { fetchRules, saveAutoMod, type AutoMod } from "../../api/channels";
import { asApiError } from "../../api/errors";
import { useChannel } from "../ChannelContext";
import { useAnswer } from "../useAnswer";
import { span } from "../words";
import { Problem } from "./Problem";

const LEVELS = [
  { name: "Off", what: "Only your own terms are looked at." },
  { name: "A little", what: "Holds the clearest cases: floods of capitals, one thing over and over, stacked marks." },
  { name: "Some", what: "Also holds links and messages that call many people." },
  { name: "More", what: "Also holds what is milder, and disguised letters." },
  { name: "Most", what: "The strictest: what is only a little suspicious waits for a moderator." },
] as const;
const AGES = [0, 600, 3600, 86_400, 604_800, 2_592_000];

export function AutoModPart({ news }: { news: number }) {
  const { id } = useChannel();
  const question = useCallback((signal: AbortSignal) => fetchRules(id, signal), [id]);
  const rules = useAnswer(question);
  const { again } = rules;
  useEffect(() => {
    if (news > 0) again();
  }, [news, again]);
  if (!rules.value) return <Problem message={rules.problem} onAgain={again} waiting="Reading AutoMod" />;
  return <Levels automod={rules.value.automod} onSaved={again} />;
}

function Levels({ automod, onSaved }: { automod: AutoMod; onSaved: () => void }) {
  const { id, may } = useChannel();
  const [asked, setAsked] = useState<Partial<AutoMod>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const name = useId();
  const shown: AutoMod = { ...automod, ...asked, level: asked.level ?? automod.level ?? 0 };
  const age = Number(shown["min_account_age_seconds"] ?? 0);
  const off = !may("settings");
  const change = (part: Partial<AutoMod>) => {
    setAsked(part);
    setProblem(null);
    saveAutoMod(id, { ...shown, ...part }).then(onSaved, (thrown: unknown) => setProblem(asApiError(thrown).message)).finally(() => setAsked({}));
  };
  const ages = AGES.includes(age) ? AGES : [...AGES, age].sort((a, b) => a - b);
  return (
    <div className="desk-form">
      <fieldset className="field desk-levels" disabled={off}>
        <legend>Level</legend>
        {LEVELS.map((level, index) => (
          <label key={level.name} className="choice">
            <input type="radio" name={name} checked={shown.level === index} onChange={() => change({ level: index })} />
            <strong>{index} · {level.name}</strong><span>{level.what}</span>
          </label>
        ))}
      </fieldset>
      <label className="desk-label">Hold what accounts younger than this say
        <select className="input" value={age} disabled={off} onChange={(event) => change({ min_account_age_seconds: Number(event.target.value) })}>
          {ages.map((seconds) => <option key={seconds} value={seconds}>{seconds === 0 ? "Nobody by age" : span(seconds)}</option>)}
        </select>
      </label>
      {problem && <p className="field-error" role="alert">{problem}</p>}
    </div>
  );
}
