#include "archive/schema.hpp"

#include <fmt/format.h>

#include <array>

namespace kevolve::archive {
namespace {

constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE identity (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  uid           TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO identity VALUES (1, lower(hex(randomblob(16))), CAST(unixepoch() * 1000 AS INTEGER));

CREATE TABLE operators (
  id            INTEGER PRIMARY KEY,
  name          TEXT    NOT NULL,
  document_hash TEXT    NOT NULL UNIQUE,
  dtype         TEXT    NOT NULL,
  precision     TEXT    NOT NULL,
  document      TEXT    NOT NULL CHECK (json_valid(document)),
  entered_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX operators_by_name ON operators (name);

CREATE TABLE devices (
  id            INTEGER PRIMARY KEY,
  key           TEXT    NOT NULL UNIQUE,
  name          TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  document      TEXT    NOT NULL CHECK (json_valid(document)),
  entered_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
  id            INTEGER PRIMARY KEY,
  name          TEXT    NOT NULL UNIQUE,
  version       INTEGER NOT NULL,
  state         TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE job_documents (
  job            INTEGER NOT NULL REFERENCES jobs,
  version        INTEGER NOT NULL,
  document       TEXT    NOT NULL CHECK (json_valid(document)),
  recorded_at_ms INTEGER NOT NULL,
  PRIMARY KEY (job, version)
) STRICT;

CREATE TABLE runs (
  id            INTEGER PRIMARY KEY,
  job           INTEGER NOT NULL REFERENCES jobs,
  job_version   INTEGER NOT NULL,
  device        INTEGER NOT NULL REFERENCES devices,
  seed          TEXT    NOT NULL,
  versions      TEXT    NOT NULL CHECK (json_valid(versions)),
  process       TEXT    NOT NULL,
  state         TEXT    NOT NULL,
  started_at_ms INTEGER NOT NULL,
  ended_at_ms   INTEGER,
  FOREIGN KEY (job, job_version) REFERENCES job_documents
) STRICT;
CREATE INDEX runs_by_job ON runs (job);

CREATE TABLE rounds (
  id             INTEGER PRIMARY KEY,
  job            INTEGER NOT NULL REFERENCES jobs,
  operator       INTEGER NOT NULL REFERENCES operators,
  workload       TEXT    NOT NULL,
  number         INTEGER NOT NULL CHECK (number >= 1),
  state          TEXT    NOT NULL,
  began_at_ms    INTEGER NOT NULL,
  finished_at_ms INTEGER,
  UNIQUE (job, operator, workload, number)
) STRICT;

CREATE TABLE ideas (
  id            INTEGER PRIMARY KEY,
  operator      INTEGER NOT NULL REFERENCES operators,
  round         INTEGER          REFERENCES rounds,
  source        TEXT    NOT NULL,
  key           TEXT    NOT NULL,
  text          TEXT    NOT NULL,
  prediction    TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX ideas_by_round ON ideas (round);
CREATE INDEX ideas_by_operator ON ideas (operator);

CREATE TABLE idea_parents (
  idea      INTEGER NOT NULL REFERENCES ideas,
  ordinal   INTEGER NOT NULL,
  candidate INTEGER NOT NULL REFERENCES candidates,
  PRIMARY KEY (idea, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
  id     INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  text   TEXT NOT NULL
) STRICT;

CREATE TABLE candidates (
  id             INTEGER PRIMARY KEY,
  idea           INTEGER NOT NULL REFERENCES ideas,
  round          INTEGER          REFERENCES rounds,
  operator       INTEGER NOT NULL REFERENCES operators,
  source         INTEGER NOT NULL REFERENCES sources,
  candidate_hash TEXT    NOT NULL,
  tunables       TEXT    NOT NULL CHECK (json_valid(tunables)),
  state          TEXT    NOT NULL,
  evaluation     INTEGER          REFERENCES evaluations,
  created_at_ms  INTEGER NOT NULL,
  CHECK ((state = 'evaluated') = (evaluation IS NOT NULL))
) STRICT;
CREATE INDEX candidates_by_hash ON candidates (candidate_hash);
CREATE INDEX candidates_by_round ON candidates (round, state);
CREATE INDEX candidates_by_idea ON candidates (idea);
CREATE INDEX candidates_by_evaluation ON candidates (evaluation);

CREATE TABLE lineage (
  child    INTEGER NOT NULL REFERENCES candidates,
  ordinal  INTEGER NOT NULL,
  parent   INTEGER NOT NULL REFERENCES candidates,
  relation TEXT    NOT NULL,
  PRIMARY KEY (child, ordinal),
  CHECK (parent < child)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_by_parent ON lineage (parent);

CREATE TABLE evaluations (
  id                 INTEGER PRIMARY KEY,
  candidate          INTEGER NOT NULL REFERENCES candidates,
  run                INTEGER          REFERENCES runs,
  operator           INTEGER NOT NULL REFERENCES operators,
  workload           TEXT    NOT NULL,
  device             INTEGER NOT NULL REFERENCES devices,
  precision          TEXT    NOT NULL,
  measured_precision TEXT,
  yardstick          TEXT    NOT NULL,
  purpose            TEXT    NOT NULL,
  gate               TEXT    NOT NULL,
  outcome            TEXT    NOT NULL,
  evidence           TEXT    NOT NULL,
  speedup            REAL    NOT NULL,
  speedup_low        REAL    NOT NULL,
  prepare_us         REAL,
  floor_us           REAL    NOT NULL,
  seed               TEXT    NOT NULL,
  accuracy           TEXT    CHECK (accuracy IS NULL OR json_valid(accuracy)),
  compile            TEXT    CHECK (compile IS NULL OR json_valid(compile)),
  gate_ms            TEXT    NOT NULL CHECK (json_valid(gate_ms)),
  evaluated_at_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX evaluations_by_candidate ON evaluations (candidate, workload, device);
CREATE INDEX evaluations_by_place ON evaluations (operator, workload, device, candidate);

CREATE TABLE measurements (
  evaluation INTEGER NOT NULL REFERENCES evaluations,
  ordinal    INTEGER NOT NULL,
  subject    TEXT    NOT NULL,
  mode       TEXT    NOT NULL,
  median_us  REAL    NOT NULL,
  low_us     REAL    NOT NULL,
  high_us    REAL    NOT NULL,
  samples_us BLOB    NOT NULL,
  PRIMARY KEY (evaluation, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE rankings (
  id        INTEGER PRIMARY KEY,
  operator  INTEGER NOT NULL REFERENCES operators,
  workload  TEXT    NOT NULL,
  device    INTEGER NOT NULL REFERENCES devices,
  precision TEXT    NOT NULL,
  yardstick TEXT    NOT NULL,
  UNIQUE (operator, workload, device, precision, yardstick)
) STRICT;

CREATE TABLE standings (
  ranking        INTEGER NOT NULL REFERENCES rankings,
  candidate_hash TEXT    NOT NULL,
  candidate      INTEGER NOT NULL REFERENCES candidates,
  evaluation     INTEGER NOT NULL REFERENCES evaluations,
  state          TEXT    NOT NULL CHECK (state IN ('verified', 'refuted')),
  figure         TEXT    NOT NULL,
  speedup        REAL    NOT NULL,
  PRIMARY KEY (ranking, candidate_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX standings_by_speedup ON standings (ranking, speedup DESC) WHERE state = 'verified';

CREATE TABLE champions (
  id             INTEGER PRIMARY KEY,
  operator       INTEGER NOT NULL REFERENCES operators,
  workload       TEXT    NOT NULL,
  device         INTEGER NOT NULL REFERENCES devices,
  precision      TEXT    NOT NULL,
  candidate      INTEGER NOT NULL REFERENCES candidates,
  evaluation     INTEGER NOT NULL REFERENCES evaluations,
  round          INTEGER          REFERENCES rounds,
  speedup        REAL    NOT NULL,
  promoted_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX champions_by_key ON champions (operator, workload, device, precision);
CREATE TRIGGER champions_are_not_changed BEFORE UPDATE ON champions
  BEGIN SELECT raise(ABORT, 'champions are append-only'); END;
CREATE TRIGGER champions_are_not_deleted BEFORE DELETE ON champions
  BEGIN SELECT raise(ABORT, 'champions are append-only'); END;

CREATE VIEW ledger AS
SELECT i.id AS idea, i.operator, r.job, i.round, r.number AS round_number, coalesce(r.workload, '') AS workload,
       i.source, i.key, i.text, i.prediction,
       count(c.id) AS attempts,
       count(e.id) AS evaluated,
       count(e.id) FILTER (WHERE e.outcome = 'passed' AND e.gate IN ('timing', 'profile')) AS passed,
       coalesce(max(e.speedup) FILTER (WHERE e.outcome = 'passed' AND e.gate IN ('timing', 'profile')), 0.0)
         AS best_speedup,
       (SELECT json_group_object(outcome, n)
          FROM (SELECT e2.outcome, count(*) AS n
                  FROM candidates c2 JOIN evaluations e2 ON e2.id = c2.evaluation
                 WHERE c2.idea = i.id GROUP BY e2.outcome)) AS outcomes
  FROM ideas i
  LEFT JOIN rounds r ON r.id = i.round
  LEFT JOIN candidates c ON c.idea = i.id
  LEFT JOIN evaluations e ON e.id = c.evaluation
 GROUP BY i.id, i.operator, r.job;
)sql";

constexpr std::string_view kVersion2 = R"sql(
CREATE TABLE profiles (
  evaluation INTEGER PRIMARY KEY REFERENCES evaluations,
  regime     TEXT    NOT NULL,
  source     TEXT    NOT NULL,
  metrics    TEXT    NOT NULL CHECK (json_valid(metrics)),
  advice     TEXT    NOT NULL CHECK (json_valid(advice))
) STRICT;
)sql";

// Exchanges with models. Texts that many prompts share (the contract, a parent's source) are stored once.
constexpr std::string_view kVersion3 = R"sql(
CREATE TABLE prompt_texts (
  id     INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  text   TEXT NOT NULL
) STRICT;

CREATE TABLE exchanges (
  id               INTEGER PRIMARY KEY,
  run              INTEGER NOT NULL REFERENCES runs,
  round            INTEGER NOT NULL REFERENCES rounds,
  slot             TEXT    NOT NULL,
  source           TEXT    NOT NULL,
  model            TEXT    NOT NULL,
  served_by        TEXT    NOT NULL,
  outcome          TEXT    NOT NULL,
  error            TEXT    NOT NULL,
  reply            TEXT    NOT NULL,
  reasoning        TEXT    NOT NULL,
  finish           TEXT    NOT NULL,
  input_tokens     INTEGER NOT NULL,
  cached_tokens    INTEGER NOT NULL,
  output_tokens    INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  usage_estimated  INTEGER NOT NULL,
  cost_usd         REAL,
  latency_ms       REAL    NOT NULL,
  attempts         INTEGER NOT NULL,
  answered_at_ms   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX exchanges_by_slot ON exchanges (round, slot) WHERE outcome = 'replied';
CREATE INDEX exchanges_by_run ON exchanges (run);

CREATE TABLE exchange_messages (
  exchange INTEGER NOT NULL REFERENCES exchanges,
  ordinal  INTEGER NOT NULL,
  role     TEXT    NOT NULL,
  text     INTEGER NOT NULL REFERENCES prompt_texts,
  PRIMARY KEY (exchange, ordinal)
) STRICT, WITHOUT ROWID;

DROP VIEW ledger;
ALTER TABLE ideas DROP COLUMN prediction;
ALTER TABLE ideas ADD COLUMN bottleneck TEXT NOT NULL DEFAULT '';
ALTER TABLE ideas ADD COLUMN predicted_us REAL;
ALTER TABLE ideas ADD COLUMN exchange INTEGER REFERENCES exchanges;
ALTER TABLE candidates ADD COLUMN exchange INTEGER REFERENCES exchanges;
CREATE INDEX candidates_by_exchange ON candidates (exchange) WHERE exchange IS NOT NULL;
CREATE INDEX evaluations_by_run ON evaluations (run, evaluated_at_ms);
CREATE INDEX ideas_by_exchange ON ideas (exchange) WHERE exchange IS NOT NULL;
CREATE INDEX champions_by_candidate ON champions (candidate);

CREATE VIEW ledger AS
SELECT i.id AS idea, i.operator, r.job, i.round, r.number AS round_number, coalesce(r.workload, '') AS workload,
       i.source, i.key, i.text, i.predicted_us,
       count(c.id) AS attempts,
       count(e.id) AS evaluated,
       count(e.id) FILTER (WHERE e.outcome = 'passed' AND e.gate IN ('timing', 'profile')) AS passed,
       coalesce(max(e.speedup) FILTER (WHERE e.outcome = 'passed' AND e.gate IN ('timing', 'profile')), 0.0)
         AS best_speedup,
       coalesce((SELECT min(m.median_us)
                   FROM candidates c3 JOIN evaluations e3 ON e3.id = c3.evaluation
                   JOIN measurements m ON m.evaluation = e3.id AND m.subject = 'candidate'
                  WHERE c3.idea = i.id AND e3.outcome = 'passed' AND e3.gate IN ('timing', 'profile')), 0.0)
         AS best_us,
       (SELECT json_group_object(outcome, n)
          FROM (SELECT e2.outcome, count(*) AS n
                  FROM candidates c2 JOIN evaluations e2 ON e2.id = c2.evaluation
                 WHERE c2.idea = i.id GROUP BY e2.outcome)) AS outcomes,
       coalesce((SELECT e4.evidence
                   FROM candidates c4 JOIN evaluations e4 ON e4.id = c4.evaluation
                  WHERE c4.idea = i.id AND e4.outcome != 'passed' ORDER BY c4.id DESC LIMIT 1), '') AS last_failure
  FROM ideas i
  LEFT JOIN rounds r ON r.id = i.round
  LEFT JOIN candidates c ON c.idea = i.id
  LEFT JOIN evaluations e ON e.id = c.evaluation
 GROUP BY i.id, i.operator, r.job;
)sql";

// Texts packed by zstd (archive/packing.hpp), ideas to be searched by word, and what merging goes by: an
// identity of jobs that no other archive gives out, and the number that a renumbered round had at home.
constexpr std::string_view kVersion4 = R"sql(
ALTER TABLE sources ADD COLUMN packed BLOB;
ALTER TABLE prompt_texts ADD COLUMN packed BLOB;
UPDATE sources SET packed = kevolve_pack(text);
UPDATE sources SET text = '' WHERE packed IS NOT NULL;
UPDATE prompt_texts SET packed = kevolve_pack(text);
UPDATE prompt_texts SET text = '' WHERE packed IS NOT NULL;

ALTER TABLE jobs ADD COLUMN uid TEXT NOT NULL DEFAULT '';
UPDATE jobs SET uid = (SELECT uid FROM identity) || '-' || id;
CREATE UNIQUE INDEX jobs_by_uid ON jobs (uid);
ALTER TABLE rounds ADD COLUMN made_as INTEGER;

CREATE INDEX evaluations_by_failure ON evaluations (operator, gate, outcome) WHERE outcome != 'passed';

CREATE INDEX champions_by_round ON champions (round) WHERE round IS NOT NULL;

CREATE VIRTUAL TABLE idea_words USING fts5 (key, text, bottleneck, content = 'ideas', content_rowid = 'id',
                                            tokenize = 'porter unicode61');
INSERT INTO idea_words (idea_words) VALUES ('rebuild');
CREATE TRIGGER ideas_enter_words AFTER INSERT ON ideas BEGIN
  INSERT INTO idea_words (rowid, key, text, bottleneck) VALUES (new.id, new.key, new.text, new.bottleneck);
END;
CREATE TRIGGER ideas_leave_words AFTER DELETE ON ideas BEGIN
  INSERT INTO idea_words (idea_words, rowid, key, text, bottleneck)
  VALUES ('delete', old.id, old.key, old.text, old.bottleneck);
END;
CREATE TRIGGER ideas_change_words AFTER UPDATE OF key, text, bottleneck ON ideas BEGIN
  INSERT INTO idea_words (idea_words, rowid, key, text, bottleneck)
  VALUES ('delete', old.id, old.key, old.text, old.bottleneck);
  INSERT INTO idea_words (rowid, key, text, bottleneck) VALUES (new.id, new.key, new.text, new.bottleneck);
END;
)sql";

// What a second clock saw of a candidate, and the SMs' clock around each sample.
constexpr std::string_view kVersion5 = R"sql(
ALTER TABLE evaluations ADD COLUMN witness TEXT CHECK (witness IS NULL OR json_valid(witness));
ALTER TABLE measurements ADD COLUMN sm_mhz BLOB NOT NULL DEFAULT x'';
)sql";

// Jobs of a service: their place in its queue, and when their present series of rounds began.
constexpr std::string_view kVersion6 = R"sql(
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN submitted_at_ms INTEGER;
ALTER TABLE jobs ADD COLUMN changed_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN series_began_at_ms INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET
  changed_at_ms = coalesce((SELECT max(coalesce(ended_at_ms, started_at_ms)) FROM runs WHERE job = jobs.id),
                           created_at_ms),
  series_began_at_ms = coalesce((SELECT max(ended_at_ms) FROM runs WHERE job = jobs.id AND state = 'finished'),
                                created_at_ms);
)sql";

// How many rows there are of what, kept by triggers: counting a million takes a second, and `failures` and
// `archive info` are to be quick.
constexpr std::string_view kVersion7 = R"sql(
CREATE TABLE tallies (
  what     TEXT    NOT NULL,
  operator INTEGER NOT NULL,
  gate     TEXT    NOT NULL,
  outcome  TEXT    NOT NULL,
  n        INTEGER NOT NULL,
  PRIMARY KEY (what, operator, gate, outcome)
) STRICT, WITHOUT ROWID;

INSERT INTO tallies SELECT 'ideas', t.operator, '', '', count(*) FROM ideas t GROUP BY 2;
CREATE TRIGGER tallies_gain_ideas AFTER INSERT ON ideas BEGIN
  INSERT INTO tallies VALUES ('ideas', new.operator, '', '', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_ideas AFTER DELETE ON ideas BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'ideas' AND operator = old.operator AND gate = '' AND outcome = '';
END;
INSERT INTO tallies SELECT 'sources', 0, '', '', count(*) FROM sources t;
CREATE TRIGGER tallies_gain_sources AFTER INSERT ON sources BEGIN
  INSERT INTO tallies VALUES ('sources', 0, '', '', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_sources AFTER DELETE ON sources BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'sources' AND operator = 0 AND gate = '' AND outcome = '';
END;
INSERT INTO tallies SELECT 'candidates', t.operator, '', '', count(*) FROM candidates t GROUP BY 2;
CREATE TRIGGER tallies_gain_candidates AFTER INSERT ON candidates BEGIN
  INSERT INTO tallies VALUES ('candidates', new.operator, '', '', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_candidates AFTER DELETE ON candidates BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'candidates' AND operator = old.operator AND gate = '' AND outcome = '';
END;
INSERT INTO tallies SELECT 'lineage', 0, '', '', count(*) FROM lineage t;
CREATE TRIGGER tallies_gain_lineage AFTER INSERT ON lineage BEGIN
  INSERT INTO tallies VALUES ('lineage', 0, '', '', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_lineage AFTER DELETE ON lineage BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'lineage' AND operator = 0 AND gate = '' AND outcome = '';
END;
INSERT INTO tallies SELECT 'exchanges', 0, '', '', count(*) FROM exchanges t;
CREATE TRIGGER tallies_gain_exchanges AFTER INSERT ON exchanges BEGIN
  INSERT INTO tallies VALUES ('exchanges', 0, '', '', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_exchanges AFTER DELETE ON exchanges BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'exchanges' AND operator = 0 AND gate = '' AND outcome = '';
END;
INSERT INTO tallies SELECT 'prompt_texts', 0, '', '', count(*) FROM prompt_texts t;
CREATE TRIGGER tallies_gain_prompt_texts AFTER INSERT ON prompt_texts BEGIN
  INSERT INTO tallies VALUES ('prompt_texts', 0, '', '', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_prompt_texts AFTER DELETE ON prompt_texts BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'prompt_texts' AND operator = 0 AND gate = '' AND outcome = '';
END;
INSERT INTO tallies SELECT 'evaluations', t.operator, t.gate, t.outcome, count(*) FROM evaluations t GROUP BY 2, 3, 4;
CREATE TRIGGER tallies_gain_evaluations AFTER INSERT ON evaluations BEGIN
  INSERT INTO tallies VALUES ('evaluations', new.operator, new.gate, new.outcome, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_evaluations AFTER DELETE ON evaluations BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'evaluations' AND operator = old.operator AND gate = old.gate AND outcome = old.outcome;
END;
INSERT INTO tallies SELECT 'measurements', 0, '', '', count(*) FROM measurements t;
CREATE TRIGGER tallies_gain_measurements AFTER INSERT ON measurements BEGIN
  INSERT INTO tallies VALUES ('measurements', 0, '', '', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_measurements AFTER DELETE ON measurements BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'measurements' AND operator = 0 AND gate = '' AND outcome = '';
END;
INSERT INTO tallies SELECT 'profiles', 0, '', '', count(*) FROM profiles t;
CREATE TRIGGER tallies_gain_profiles AFTER INSERT ON profiles BEGIN
  INSERT INTO tallies VALUES ('profiles', 0, '', '', 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_profiles AFTER DELETE ON profiles BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'profiles' AND operator = 0 AND gate = '' AND outcome = '';
END;
INSERT INTO tallies SELECT 'standings', (SELECT operator FROM rankings WHERE id = t.ranking), '', t.state, count(*) FROM standings t GROUP BY 2, 4;
CREATE TRIGGER tallies_gain_standings AFTER INSERT ON standings BEGIN
  INSERT INTO tallies VALUES ('standings', (SELECT operator FROM rankings WHERE id = new.ranking), '', new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tallies_lose_standings AFTER DELETE ON standings BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'standings' AND operator = (SELECT operator FROM rankings WHERE id = old.ranking) AND gate = '' AND outcome = old.state;
END;
CREATE TRIGGER tallies_move_standings AFTER UPDATE OF state ON standings BEGIN
  UPDATE tallies SET n = n - 1
   WHERE what = 'standings' AND operator = (SELECT operator FROM rankings WHERE id = old.ranking) AND gate = '' AND outcome = old.state;
  INSERT INTO tallies VALUES ('standings', (SELECT operator FROM rankings WHERE id = new.ranking), '', new.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
)sql";

// Which implementation of attention PyTorch used, where a baseline calls it.
constexpr std::string_view kVersion8 = R"sql(
ALTER TABLE measurements ADD COLUMN backend TEXT NOT NULL DEFAULT '';
)sql";

// What models cost and what came of it, kept by triggers: `costs` and `report` would go through all that they
// ever made. A candidate and the evaluation that decides it are entered in either order: a search enters the
// evaluation first, merging and importing the candidate. And an index that `report` need not leave for the
// candidates' rows.
constexpr std::string_view kVersion9 = R"sql(
DROP INDEX candidates_by_round;
CREATE INDEX candidates_by_round ON candidates (round, state, evaluation);

CREATE TABLE model_costs (
  job              INTEGER NOT NULL REFERENCES jobs,
  source           TEXT    NOT NULL,
  model            TEXT    NOT NULL,
  exchanges        INTEGER NOT NULL,
  requests         INTEGER NOT NULL,
  input_tokens     INTEGER NOT NULL,
  cached_tokens    INTEGER NOT NULL,
  output_tokens    INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cost_usd         REAL    NOT NULL,
  unpriced         INTEGER NOT NULL,
  ideas            INTEGER NOT NULL,
  candidates       INTEGER NOT NULL,
  verified         INTEGER NOT NULL,
  wins             INTEGER NOT NULL,
  PRIMARY KEY (job, source, model)
) STRICT, WITHOUT ROWID;

INSERT INTO model_costs
SELECT r.job, x.source, x.model, count(*), sum(x.attempts), sum(x.input_tokens), sum(x.cached_tokens),
       sum(x.output_tokens), sum(x.reasoning_tokens), coalesce(sum(x.cost_usd), 0.0),
       count(*) FILTER (WHERE x.cost_usd IS NULL AND x.outcome = 'replied'),
       sum((SELECT count(*) FROM ideas i WHERE i.exchange = x.id)),
       sum((SELECT count(*) FROM candidates c WHERE c.exchange = x.id)),
       sum((SELECT count(*) FROM candidates c JOIN evaluations e ON e.id = c.evaluation
             WHERE c.exchange = x.id AND e.outcome = 'passed' AND e.gate IN ('timing', 'profile'))),
       sum((SELECT count(DISTINCT c.id) FROM candidates c JOIN champions h ON h.candidate = c.id
             WHERE c.exchange = x.id))
  FROM exchanges x JOIN rounds r ON r.id = x.round GROUP BY r.job, x.source, x.model;

CREATE TRIGGER model_costs_of_exchanges AFTER INSERT ON exchanges BEGIN
  INSERT INTO model_costs
  SELECT job, new.source, new.model, 1, new.attempts, new.input_tokens, new.cached_tokens, new.output_tokens,
         new.reasoning_tokens, coalesce(new.cost_usd, 0.0), new.cost_usd IS NULL AND new.outcome = 'replied', 0, 0, 0, 0
    FROM rounds WHERE id = new.round
  ON CONFLICT DO UPDATE SET
    exchanges = exchanges + 1, requests = requests + excluded.requests,
    input_tokens = input_tokens + excluded.input_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,
    cost_usd = cost_usd + excluded.cost_usd, unpriced = unpriced + excluded.unpriced;
END;
CREATE TRIGGER model_costs_gain_ideas AFTER INSERT ON ideas WHEN new.exchange IS NOT NULL BEGIN
  UPDATE model_costs SET ideas = ideas + 1
   WHERE (job, source, model) = (SELECT r.job, x.source, x.model FROM exchanges x JOIN rounds r ON r.id = x.round WHERE x.id = new.exchange);
END;
CREATE TRIGGER model_costs_lose_ideas AFTER DELETE ON ideas WHEN old.exchange IS NOT NULL BEGIN
  UPDATE model_costs SET ideas = ideas - 1
   WHERE (job, source, model) = (SELECT r.job, x.source, x.model FROM exchanges x JOIN rounds r ON r.id = x.round WHERE x.id = old.exchange);
END;
CREATE TRIGGER model_costs_gain_candidates AFTER INSERT ON candidates WHEN new.exchange IS NOT NULL BEGIN
  UPDATE model_costs SET candidates = candidates + 1,
         verified = verified + (SELECT count(*) FROM evaluations WHERE id = new.evaluation AND outcome = 'passed' AND gate IN ('timing', 'profile'))
   WHERE (job, source, model) = (SELECT r.job, x.source, x.model FROM exchanges x JOIN rounds r ON r.id = x.round WHERE x.id = new.exchange);
END;
CREATE TRIGGER model_costs_lose_candidates AFTER DELETE ON candidates WHEN old.exchange IS NOT NULL BEGIN
  UPDATE model_costs SET candidates = candidates - 1,
         verified = verified - (SELECT count(*) FROM evaluations WHERE id = old.evaluation AND outcome = 'passed' AND gate IN ('timing', 'profile'))
   WHERE (job, source, model) = (SELECT r.job, x.source, x.model FROM exchanges x JOIN rounds r ON r.id = x.round WHERE x.id = old.exchange);
END;
CREATE TRIGGER model_costs_of_decisions AFTER UPDATE OF evaluation ON candidates WHEN new.exchange IS NOT NULL BEGIN
  UPDATE model_costs SET verified = verified
         - (SELECT count(*) FROM evaluations WHERE id = old.evaluation AND outcome = 'passed' AND gate IN ('timing', 'profile'))
         + (SELECT count(*) FROM evaluations WHERE id = new.evaluation AND outcome = 'passed' AND gate IN ('timing', 'profile'))
   WHERE (job, source, model) = (SELECT r.job, x.source, x.model FROM exchanges x JOIN rounds r ON r.id = x.round WHERE x.id = new.exchange);
END;
CREATE TRIGGER model_costs_gain_evaluations AFTER INSERT ON evaluations
WHEN new.outcome = 'passed' AND new.gate IN ('timing', 'profile') BEGIN
  UPDATE model_costs SET verified = verified + n.n
    FROM (SELECT r.job, x.source, x.model, count(*) AS n
            FROM candidates c JOIN exchanges x ON x.id = c.exchange JOIN rounds r ON r.id = x.round
           WHERE c.evaluation = new.id GROUP BY 1, 2, 3) n
   WHERE (model_costs.job, model_costs.source, model_costs.model) = (n.job, n.source, n.model);
END;
CREATE TRIGGER model_costs_lose_evaluations AFTER DELETE ON evaluations
WHEN old.outcome = 'passed' AND old.gate IN ('timing', 'profile') BEGIN
  UPDATE model_costs SET verified = verified - n.n
    FROM (SELECT r.job, x.source, x.model, count(*) AS n
            FROM candidates c JOIN exchanges x ON x.id = c.exchange JOIN rounds r ON r.id = x.round
           WHERE c.evaluation = old.id GROUP BY 1, 2, 3) n
   WHERE (model_costs.job, model_costs.source, model_costs.model) = (n.job, n.source, n.model);
END;
CREATE TRIGGER model_costs_of_champions AFTER INSERT ON champions
WHEN NOT EXISTS (SELECT 1 FROM champions WHERE candidate = new.candidate AND id != new.id) BEGIN
  UPDATE model_costs SET wins = wins + 1
   WHERE (job, source, model) = (SELECT r.job, x.source, x.model FROM exchanges x JOIN rounds r ON r.id = x.round WHERE x.id = (SELECT exchange FROM candidates WHERE id = new.candidate));
END;
)sql";

// What `best` chooses by, all in one index: it need not look at the kernels that it does not show. (With
// `state`: SQLite 3.40 goes to the table for it, though the index holds one only.)
constexpr std::string_view kVersion10 = R"sql(
DROP INDEX standings_by_speedup;
CREATE INDEX standings_by_speedup ON standings (ranking, speedup DESC, candidate_hash, figure, state) WHERE state = 'verified';
)sql";

constexpr std::array<std::string_view, 10> kMigrations = {kVersion1, kVersion2, kVersion3, kVersion4,
                                                          kVersion5, kVersion6, kVersion7, kVersion8,
                                                          kVersion9, kVersion10};

}  // namespace

std::span<const std::string_view> migrations() {
  return kMigrations;
}

void check_identity(Connection& connection, std::span<const std::string_view> steps) {
  const std::int64_t application = connection.integer("PRAGMA application_id");
  const std::int64_t version = connection.integer("PRAGMA user_version");
  const bool empty = connection.integer("SELECT count(*) FROM sqlite_schema") == 0;
  if (application != kApplicationId && !(application == 0 && version == 0 && empty)) {
    throw ArchiveFailure(
        "it is a SQLite database, but not a kevolve archive. It was left untouched: name another file.");
  }
  if (version > static_cast<std::int64_t>(steps.size())) {
    throw ArchiveFailure(
        fmt::format("its schema has version {}, and this kevolve knows up to {}. It was left untouched: "
                    "use the newer kevolve that wrote it, or another archive.",
                    version, steps.size()));
  }
}

void migrate(Connection& connection, std::span<const std::string_view> steps) {
  const auto version = [&] { return static_cast<std::size_t>(connection.integer("PRAGMA user_version")); };
  if (version() == steps.size()) return;
  Scope scope(connection, Scope::Kind::write);
  for (std::size_t next = version(); next < steps.size(); ++next) connection.execute(steps[next]);
  connection.execute(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, steps.size()));
  scope.commit();
}

}  // namespace kevolve::archive
