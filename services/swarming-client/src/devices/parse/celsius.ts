/**
 * A temperature, or undefined where a sensor that is not there or not right tells something. No phone measures below 0
 * where it lies, and none of its parts lives above 150 °C.
 */
export function plausibleCelsius(value: number): number | undefined {
  return value >= 0 && value <= 150 ? Math.round(value * 100) / 100 : undefined;
}
