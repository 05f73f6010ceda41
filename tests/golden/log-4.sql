-- A tuning log of format 4: sqlite3 FILE .dump, and what that leaves out.
PRAGMA application_id = 1752133221;
PRAGMA user_version = 4;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE text (kind TEXT NOT NULL CHECK (kind <> ''), digest TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, digest)) STRICT, WITHOUT ROWID;
INSERT INTO text VALUES('calibration','x','fma_gflops=1');
CREATE TABLE plan (graph TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (graph, target)) STRICT, WITHOUT ROWID;
INSERT INTO "plan" VALUES('g','t','a plan');
CREATE TABLE keys (id INTEGER PRIMARY KEY,
 task TEXT NOT NULL,
 form TEXT NOT NULL,
 target TEXT NOT NULL,
 device TEXT NOT NULL,
 driver TEXT NOT NULL,
 runner TEXT NOT NULL,
 threads TEXT NOT NULL,
 mode TEXT NOT NULL,
 tolerance TEXT NOT NULL,
 UNIQUE (task, form, target, device, driver, runner, threads, mode, tolerance)) STRICT;
INSERT INTO keys VALUES(1,'f5eb7c79f741209d9e02fe9542719b00','e7b41cebd76392bb144e9d6c7c6df9af','x86_64-unknown-linux-gnu x86-64-v4 +sse3,+pclmul,+ssse3,+fma,+cx16,+sse4.1,+sse4.2,+movbe,+popcnt,+aes,+avx,+f16c,+bmi,+avx2,+bmi2,+avx512f,+avx512dq,+avx512ifma,+avx512cd,+avx512bw,+avx512vl,+avx512vbmi,+avx512vbmi2,+gfni,+vpclmulqdq,+avx512vnni,+avx512bitalg,+avx512vpopcntdq,+avxvnni,+avx512bf16,+lzcnt','AMD EPYC','','cpu','1','cold','default');
INSERT INTO keys VALUES(2,'f6c5f6b2f470a51836777254ee6e580b','e7b41cebd76392bb144e9d6c7c6df9af','x86_64-unknown-linux-gnu x86-64-v4 +sse3,+pclmul,+ssse3,+fma,+cx16,+sse4.1,+sse4.2,+movbe,+popcnt,+aes,+avx,+f16c,+bmi,+avx2,+bmi2,+avx512f,+avx512dq,+avx512ifma,+avx512cd,+avx512bw,+avx512vl,+avx512vbmi,+avx512vbmi2,+gfni,+vpclmulqdq,+avx512vnni,+avx512bitalg,+avx512vpopcntdq,+avxvnni,+avx512bf16,+lzcnt','AMD EPYC','','cpu','1','cold','default');
CREATE TABLE trial (id INTEGER PRIMARY KEY,
 key INTEGER NOT NULL,
 algorithm TEXT NOT NULL,
 sched TEXT NOT NULL,
 status TEXT NOT NULL CHECK (status <> ''),
 reason TEXT NOT NULL,
 samples BLOB NOT NULL CHECK (length(samples) % 8 = 0),
 best_ns REAL NOT NULL CHECK (best_ns >= 0),
 median_ns REAL NOT NULL CHECK (median_ns >= 0),
 max_error REAL NOT NULL,
 calibration_before REAL NOT NULL,
 calibration_after REAL NOT NULL,
 expected_ns REAL NOT NULL,
 code TEXT NOT NULL,
 generator TEXT NOT NULL,
 llvm TEXT NOT NULL,
 stage TEXT NOT NULL,
 session TEXT NOT NULL,
 seed INTEGER NOT NULL,
 race INTEGER NOT NULL CHECK (race >= 0),
 time INTEGER NOT NULL CHECK (time > 0),
 insecure INTEGER NOT NULL CHECK (insecure IN (0, 1)),
 sandbox INTEGER NOT NULL CHECK (sandbox >= 0)) STRICT;
INSERT INTO trial VALUES(1,1,'direct',replace('direct\nnest vec=n pf n:32 m:12 | k:4\n','\n',char(10)),'OK','',X'0000008055464e4100000000916d4d410000008097864e41',3857186.0,3968171.0,0.13145309876220495626,221.22971138323956096,221.22971138323956096,2545259.7697348925286,'ba2cc4f52644972bc07ef19879b3ed28','0.1.0','LLVM 22.1.8','untuned','1795314070-19412',0,0,1795314071,0,2047);
INSERT INTO trial VALUES(2,2,'direct',replace('direct\nnest vec=n pf n:32 m:10 | k:4\n','\n',char(10)),'OK','',X'000000809a45604100000080a78e5241000000002f6450410000000005e94e41',4051466.0,4296892.0,0.047104506161891677995,244.7695621105442285,244.7695621105442285,2564225.2024783925153,'4ecc57017e22b850305de152c695eb69','0.1.0','LLVM 22.1.8','untuned','1795314070-19412',0,0,1795314071,0,2047);
CREATE INDEX trial_time ON trial (key, time);
CREATE INDEX trial_fast ON trial (key, best_ns) WHERE status = 'OK' AND race = 0;
CREATE INDEX trial_race ON trial (key, time) WHERE status = 'OK' AND race > 0;
CREATE INDEX trial_round ON trial (key, session, race) WHERE status = 'OK' AND race > 0;
COMMIT;
