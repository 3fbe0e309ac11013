// A choice of one among few, side by side.

interface Props<Choice extends string> {
  label: string;
  /** What is chosen, and its name. */
  choices: readonly (readonly [Choice, string])[];
  chosen: Choice;
  onChoose: (choice: Choice) => void;
}

export function Chips<Choice extends string>({ label, choices, chosen, onChoose }: Props<Choice>) {
  return (
    <fieldset className="rc-chips">
      <legend className="rc-unseen">{label}</legend>
      {choices.map(([choice, name]) => (
        <button
          key={choice}
          type="button"
          className="rc-chip-choice"
          aria-pressed={choice === chosen}
          onClick={() => onChoose(choice)}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}
