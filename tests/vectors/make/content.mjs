// Writes tree.json, signed.json, manifest.json, files.json, paths.json, trust.json, statements.json and live.json, from docs/PROTOCOL.md alone.
//   node tests/vectors/make/content.mjs [--check]
// With --check it writes nothing and says which file is not what it would write.
import { fileVectors } from './files.mjs';
import { liveVectors } from './live.mjs';
import { manifestVectors } from './manifest.mjs';
import { pathVectors } from './paths.mjs';
import { signedVectors } from './signed.mjs';
import { statementVectors } from './statements.mjs';
import { treeVectors } from './tree.mjs';
import { trustVectors } from './trust.mjs';
import { writeVectors } from './write.mjs';

writeVectors({
  'tree.json': treeVectors(),
  'signed.json': signedVectors(),
  'manifest.json': manifestVectors(),
  'files.json': fileVectors(),
  'paths.json': pathVectors(),
  'trust.json': trustVectors(),
  'statements.json': statementVectors(),
  'live.json': liveVectors(),
});
