// Documents moving through their stages.

import { memo } from "react";
import { formatDuration, formatName } from "./format.js";
import { useModel } from "./live.js";
import { type DocumentItem, STAGES } from "./model/documents.js";
import { Badge, type Tone } from "./parts/Badge.js";
import { Panel } from "./parts/Panel.js";
import { Row, Time } from "./parts/Row.js";

const TONES: Record<string, Tone> = { completed: "good", failed: "danger" };

export function DocumentProcessingMonitor() {
  const documents = useModel((model) => model.documents);
  return (
    <Panel
      title="Documents"
      type="document_processing"
      size="wide"
      empty={documents.length === 0}
      hint="Uploads appear here and move through OCR, chunking, embedding and indexing."
    >
      <ul className="rc-list">
        {documents.map((document) => (
          <DocumentRow key={document.key} document={document} />
        ))}
      </ul>
    </Panel>
  );
}

const DocumentRow = memo(function DocumentRow({ document }: { document: DocumentItem }) {
  const { event, filename, stage, progress, status, error, processingTime } = document;
  return (
    <Row event={event} className={`rc-document rc-document-${status}`}>
      <span className="rc-document-name">
        <span className="rc-ellipsis">{filename}</span>
        <small>{event.organizationId}</small>
      </span>
      <span className="rc-document-way">
        {stage && (
          <progress
            max={100}
            value={status === "completed" ? 100 : progress}
            aria-label={`Progress of ${filename}`}
          />
        )}
        {error && <small className="rc-ellipsis rc-danger">{error}</small>}
        {stage && !error && <Stages of={document} />}
      </span>
      <span className="rc-document-state">
        <Badge tone={TONES[status] ?? "accent"}>{formatName(stage ?? status)}</Badge>
        <small>
          {stage && status === "processing"
            ? `${progress} %`
            : processingTime !== undefined && formatDuration(processingTime)}
        </small>
      </span>
      <Time of={event} />
    </Row>
  );
});

function Stages({ of: { reached, status } }: { of: DocumentItem }) {
  const at = STAGES.indexOf(reached ?? "");
  return (
    <span className="rc-stages" aria-hidden="true">
      {STAGES.map((name, index) => (
        <span
          key={name}
          data-state={status === "completed" || index < at ? "done" : index === at ? "now" : "ahead"}
        >
          {name === "ocr" ? "OCR" : name}
        </span>
      ))}
    </span>
  );
}
