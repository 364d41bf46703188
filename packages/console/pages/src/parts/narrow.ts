/** Whether the window is as narrow as a phone; `narrow` in the styles. */
import { useEffect, useState } from 'preact/hooks';

export function useIsNarrow(): boolean {
  const query = matchMedia('(width < 700px)');
  const [isNarrow, setIsNarrow] = useState(query.matches);
  useEffect(() => {
    const listener = () => setIsNarrow(query.matches);
    query.addEventListener('change', listener);
    return () => query.removeEventListener('change', listener);
  }, []);
  return isNarrow;
}
