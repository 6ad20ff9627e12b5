/**
 * Families of metrics as text, in the two formats that are read everywhere: OpenMetrics 1.0, and the older one of
 * Prometheus (0.0.4).
 *
 * @module
 */
import type { MetricFamily, MetricSample } from "./families.ts";

/** A format of the text: OpenMetrics 1.0, or that of Prometheus, 0.0.4. */
export type MetricsFormat = "openmetrics" | "prometheus";

/** The media type of each format. */
export const mediaTypes: Readonly<Record<MetricsFormat, string>> = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
};

/** Writes families as text. */
export function writeFamilies(families: readonly MetricFamily[], format: MetricsFormat): string {
  const lines = families.filter(({ samples }) => samples.length > 0)
    .flatMap((family) => linesOf(family, format));
  if (format === "openmetrics") lines.push("# EOF");
  return lines.join("\n") + "\n";
}

function linesOf({ name, type, help, unit, samples }: MetricFamily, format: MetricsFormat): string[] {
  // In the older format a counter has its suffix in its name.
  const named = format === "prometheus" && type === "counter" ? `${name}_total` : name;
  return [
    `# TYPE ${named} ${type}`,
    ...format === "openmetrics" && unit !== undefined ? [`# UNIT ${named} ${unit}`] : [],
    `# HELP ${named} ${help}`,
    ...samples.map((sample) => `${name}${sample.suffix}${labelsOf(sample)} ${numberOf(sample.value)}`),
  ];
}

function labelsOf({ labels }: MetricSample): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join()}}`;
}

/** The value of a label, as both formats escape it. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function numberOf(value: number): string {
  return value === Infinity ? "+Inf" : String(value);
}
