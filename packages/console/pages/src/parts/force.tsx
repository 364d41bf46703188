/** Shown if the power-cycle daemon has rejected a request: a person may force it. */
export function Force({ force, onChange }: { force: boolean; onChange(force: boolean): void }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={force}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      Force: proceed even if this ends a running task or cuts power to others
    </label>
  );
}
