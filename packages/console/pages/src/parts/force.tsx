/** Shown when the power-cycle daemon has rejected: a person may insist. */
export function Force({ force, onChange }: { force: boolean; onChange(force: boolean): void }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={force}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      Force: also end a running task, and cut the power of the others
    </label>
  );
}
