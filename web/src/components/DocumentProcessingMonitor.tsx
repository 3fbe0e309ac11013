// Documents moving through their stages, and how many are in each.

import { memo, useMemo, useState } from "react";
import { formatCount, formatDuration, formatName } from "./format.js";
import { countByStage, type DocumentItem, documents, hasEnded, STAGES } from "./model/documents.js";
import { Badge, type Tone } from "./parts/Badge.js";
import { Panel } from "./parts/Panel.js";
import { type Inspect, Row, Time } from "./parts/Row.js";
import { Rows } from "./parts/Rows.js";
import { type Scope, useProjection } from "./useProjection.js";

/** What {@link DocumentProcessingMonitor} takes. */
export interface DocumentProcessingMonitorProps extends Pick<Scope, "organizationId"> {
  /** Makes each document a button that opens the last event about it. */
  onInspect?: Inspect | undefined;
}

const TONES: Record<string, Tone> = { completed: "good", failed: "danger" };
const PLACES = [...STAGES, "completed", "failed"];

/** More than anybody reads, fewer than a browser minds. The rest is counted, and found by choosing a stage. */
const SHOWN = 100;

/** Documents on their way through the stages of processing, with their progress. */
export function DocumentProcessingMonitor({ organizationId, onInspect }: DocumentProcessingMonitorProps) {
  const followed = useProjection(documents, { organizationId });
  const [chosen, choose] = useState<string | null>(null);
  const all = followed.value;
  const counts = useMemo(() => countByStage(all), [all]);
  const list = chosen === null ? all : all.filter((document) => placeOf(document) === chosen);
  return (
    <Panel
      title="Documents"
      followed={followed}
      empty={all.length === 0}
      hint="Uploads appear here and move through OCR, chunking, embedding and indexing."
    >
      <fieldset className="rc-pipeline">
        <legend className="rc-unseen">Show documents in one stage</legend>
        {PLACES.map((place) => (
          <button
            key={place}
            type="button"
            className={`rc-pipeline-stage rc-tone-${TONES[place] ?? "accent"}`}
            aria-pressed={chosen === place}
            onClick={() => choose(chosen === place ? null : place)}
          >
            <span className="rc-pipeline-count" data-none={!counts[place]}>
              {formatCount(counts[place] ?? 0)}
            </span>
            <span className="rc-ellipsis">{nameOf(place)}</span>
          </button>
        ))}
      </fieldset>
      <div className="rc-body">
        {list.length === 0 && (
          <p className="rc-remark">
            No document is in this stage now. <ShowAll onClick={() => choose(null)} />
          </p>
        )}
        <Rows label="Documents, the newest first" interactive={onInspect !== undefined}>
          {list.slice(0, SHOWN).map((document) => (
            <DocumentRow key={document.key} document={document} onInspect={onInspect} />
          ))}
        </Rows>
        {list.length > SHOWN && (
          <p className="rc-remark">
            The newest {SHOWN} of {formatCount(list.length)}. Choose a stage to see fewer.
          </p>
        )}
      </div>
    </Panel>
  );
}

function ShowAll({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" className="rc-button" onClick={onClick}>
      Show all
    </button>
  );
}

const nameOf = (stage: string): string => (stage === "ocr" ? "OCR" : formatName(stage));

function placeOf({ stage, status }: DocumentItem): string {
  return status === "completed" || status === "failed" ? status : (stage ?? status);
}

interface DocumentRowProps {
  document: DocumentItem;
  onInspect: Inspect | undefined;
}

const DocumentRow = memo(function DocumentRow({ document, onInspect }: DocumentRowProps) {
  const { event, filename, stage, progress, status, error, processingTime, attempts } = document;
  return (
    <Row event={event} className={`rc-document rc-document-${status}`} onInspect={onInspect}>
      <span className="rc-document-name">
        <span className="rc-ellipsis">{filename}</span>
        <small className="rc-ellipsis">{error ?? origin(document)}</small>
      </span>
      {stage && <Way of={document} />}
      <span className="rc-document-state">
        <Badge tone={TONES[status] ?? "accent"}>{nameOf(placeOf(document))}</Badge>
        <small>
          {attempts > 1 && <span title="It began again">try {attempts} · </span>}
          {stage && !hasEnded(document)
            ? `${progress} %`
            : processingTime !== undefined && formatDuration(processingTime)}
        </small>
      </span>
      <Time of={event} />
    </Row>
  );
});

function origin({ event }: DocumentItem): string | undefined {
  return event.organizationId ?? event.source;
}

/** The stages as segments; the one that it is in, or failed in, stands out. */
function Way({ of: { filename, reached, status, progress } }: { of: DocumentItem }) {
  return (
    <span className="rc-document-way">
      <progress
        className="rc-unseen"
        max={100}
        value={status === "completed" ? 100 : progress}
        aria-label={`Progress of ${filename}`}
      />
      {STAGES.map((name, at) => (
        <span
          key={name}
          className="rc-document-stage"
          data-state={stateOf(at, reached, status)}
          aria-hidden="true"
        />
      ))}
    </span>
  );
}

function stateOf(at: number, reached: number, status: string): string {
  if (status === "completed" || at < reached) return "done";
  if (at > reached) return "ahead";
  return status === "failed" ? "failed" : "now";
}
