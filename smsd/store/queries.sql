-- Every statement of the store, by name. A line "-- name --" begins one; comments may follow it.

-- account --
SELECT id FROM account WHERE name = :name;

-- add account --
INSERT INTO account (name, created_at) VALUES (:name, :now) RETURNING id;

-- phone named --
SELECT id, name FROM phone WHERE name = :name;

-- add phone --
INSERT INTO phone (name, adapter, adapter_data, priority, created_at)
VALUES (:name, :adapter, :adapter_data, :priority, :now) RETURNING id;

-- change phone --
UPDATE phone SET adapter = :adapter, adapter_data = :adapter_data, priority = :priority, present = 1,
       updated_at = CASE WHEN adapter = :adapter AND adapter_data = :adapter_data AND priority = :priority
                         THEN updated_at ELSE :now END
 WHERE id = :id;

-- no phone is present --
UPDATE phone SET present = 0;

-- phone of modem --
-- Check digit and software version of an IMEI do not count (23.003 6).
SELECT id, name, present FROM phone WHERE substr(imei, 1, 14) = substr(:imei, 1, 14)
 ORDER BY present DESC, seen_at DESC, id DESC;

-- rename phone --
UPDATE phone SET name = :name WHERE id = :id;

-- phone has modem --
UPDATE phone SET imei = :imei, seen_at = :now WHERE id = :id;

-- modem is no other phone's --
UPDATE phone SET imei = NULL WHERE substr(imei, 1, 14) = substr(:imei, 1, 14) AND id <> :id;

-- phone is present --
UPDATE phone SET present = 1 WHERE id = :id;

-- found phones --
-- Those that were made for a modem which nobody had configured.
SELECT id, name, imei FROM phone
 WHERE present = 0 AND imei IS NOT NULL AND seen_at >= :since AND json_extract(adapter_data, '$.source') = 'found'
 ORDER BY id;

-- disabled phones --
SELECT id FROM phone WHERE disabled = 1;

-- add scheduled --
INSERT INTO scheduled (account_id, at, text, parts, flash, mms, tag, phone_id, phone_group_id, sticky,
                       validity_seconds, priority, send_windows, created_at)
VALUES (:account, :at, :text, :parts, :flash, :mms, :tag, :phone, :group, :sticky, :validity, :priority,
        :send_windows, :now)
RETURNING id;

-- add scheduled number --
INSERT INTO scheduled_number (scheduled_id, number, data, created_at)
VALUES (:scheduled, :number, :data, :now);

-- remove scheduled --
DELETE FROM scheduled WHERE id = :id AND (:account IS NULL OR account_id = :account) RETURNING id;

-- queued of scheduled --
SELECT id FROM message WHERE scheduled_id = :id AND state = 'queued' AND begun_on IS NULL
   AND (:account IS NULL OR account_id = :account) LIMIT :limit;

-- expired --
SELECT id FROM message WHERE state = 'queued' AND expires_at <= :now ORDER BY expires_at, id LIMIT 100;

-- due --
-- The next message of a lane, a priority and a size after a place in their order.
SELECT id, destination, text, parts, flash, mms, wanted_phone_id, wanted_group_id, known_phone_id, prefix, sticky,
       begun_on, attempts, priority, due_at, expires_at, send_windows, declined
  FROM message
 WHERE state = 'queued' AND lane = :lane AND priority = :priority AND parts = :parts
   AND due_at <= :now AND (due_at, id) > (:due_at, :id)
 ORDER BY due_at, id
 LIMIT 1;

-- lanes --
-- Those in which something waits, by priority and size, from the highest priority on. By steps from
-- one to the next, however much waits in each: what is due at the end of time is behind all of it.
-- (Without the + only the lane would be sought by: a column's affinity is not its index's.)
WITH RECURSIVE step (id) AS (
    SELECT * FROM (SELECT id FROM message WHERE state = 'queued' ORDER BY lane, priority, parts LIMIT 1)
    UNION ALL
    SELECT (SELECT n.id FROM message n
             WHERE n.state = 'queued' AND (n.lane, n.priority, n.parts, n.due_at)
                                        > (+m.lane, +m.priority, +m.parts, 9223372036854775807)
             ORDER BY n.lane, n.priority, n.parts, n.due_at LIMIT 1)
      FROM step JOIN message m ON m.id = step.id)
SELECT m.lane, m.priority, m.parts FROM step JOIN message m ON m.id = step.id ORDER BY m.priority DESC;

-- next due --
SELECT min(at) FROM (
    SELECT min(due_at) AS at FROM message WHERE state = 'queued' AND due_at > created_at AND due_at > :now
    UNION ALL SELECT min(expires_at) FROM message WHERE state = 'queued'
    UNION ALL SELECT min(resend_at) FROM message
               WHERE state = 'uncertain' AND resend_at IS NOT NULL AND expires_at > :now
    UNION ALL SELECT min(at) FROM scheduled);

-- move --
-- The only statement that changes a state; where it may come from is the table in model/message.py.
UPDATE message SET state = :state WHERE id = :id AND state IN (:from_1, :from_2, :from_3)
RETURNING id, account_id, phone_id, scheduled_id;

-- tell state --
INSERT INTO event (at, kind, message_id, state, words) VALUES (:now, 'state', :id, :state, :words);

-- tell received --
INSERT INTO event (at, kind, received_id) VALUES (:now, 'received', :id);

-- claim --
UPDATE message SET phone_id = :phone, attempts = attempts + 1 WHERE id = :id;

-- add attempt --
INSERT INTO attempt (id, message_id, phone_id, route, started_at) VALUES (:id, :message, :phone, :route, :now);

-- newest attempt --
SELECT coalesce(max(id), 0) FROM attempt;

-- attempt --
SELECT a.id, a.message_id, a.phone_id, a.outcome, m.parts, m.state, m.begun_on
  FROM attempt a JOIN message m ON m.id = a.message_id WHERE a.id = :id;

-- end attempt --
UPDATE attempt SET ended_at = :now, outcome = :outcome, fault_class = :fault_class,
       fault_code = :fault_code, fault_words = :fault_words, fault_hint = :fault_hint
 WHERE id = :id;

-- attempts that failed so --
SELECT count(*) FROM attempt WHERE message_id = :message AND phone_id = :phone AND fault_code = :fault_code;

-- fault --
UPDATE message SET fault_class = :fault_class, fault_code = :fault_code,
       fault_words = :fault_words, fault_hint = :fault_hint WHERE id = :id;

-- fault if none --
UPDATE message SET fault_class = :fault_class, fault_code = :fault_code,
       fault_words = :fault_words, fault_hint = :fault_hint WHERE id = :id AND fault_class IS NULL;

-- postpone --
UPDATE message SET due_at = :due_at WHERE id = :id;

-- used --
-- Parts handed to a phone's network since a time; those under way count, those refused do not.
SELECT coalesce(sum(size), 0) FROM part WHERE phone_id = :phone AND begun_at >= :since;

-- reserved --
-- Parts that a phone has yet to send of the messages that it has claimed, or has sent some parts of.
SELECT coalesce(sum(m.parts), 0) - coalesce(sum((SELECT coalesce(sum(p.size), 0) FROM part p
        WHERE p.message_id = m.id AND p.state IN ('begun', 'sent'))), 0)
  FROM message m WHERE (m.state = 'claimed' AND m.phone_id = :phone) OR (m.state = 'queued' AND m.begun_on = :phone
        AND EXISTS (SELECT 1 FROM part p WHERE p.message_id = m.id AND p.state = 'sent'));

-- used messages --
-- The same, counted in messages.
SELECT count(DISTINCT message_id) FROM part WHERE phone_id = :phone AND begun_at >= :since AND size > 0;

-- reserved messages --
-- Those that a phone has claimed, and has not begun.
SELECT count(*) FROM message m WHERE m.state = 'claimed' AND m.phone_id = :phone
   AND NOT EXISTS (SELECT 1 FROM part p WHERE p.message_id = m.id AND p.state <> 'refused');

-- leaves after --
-- When the part was begun with whose leaving so many parts (:over) have left the window; each row is
-- one at least, so that no more rows than that are looked at.
SELECT begun_at FROM (
    SELECT begun_at, sum(size) OVER (ORDER BY begun_at, id) AS gone FROM (
        SELECT id, begun_at, size FROM part
         WHERE phone_id = :phone AND begun_at >= :since AND size > 0
         ORDER BY begun_at, id LIMIT :over))
 WHERE gone >= :over ORDER BY begun_at LIMIT 1;

-- leaves after messages --
SELECT max(begun_at) AS at FROM part
 WHERE phone_id = :phone AND begun_at >= :since AND size > 0
 GROUP BY message_id ORDER BY at LIMIT 1 OFFSET :over - 1;

-- begin part --
-- Nothing, if the message is no longer that attempt's to send or the part has left before.
INSERT INTO part (message_id, attempt_id, phone_id, number, total, size, state, begun_at)
SELECT m.id, a.id, a.phone_id, :number, :total, max(1, m.parts / :total), 'begun', :now
  FROM attempt a JOIN message m ON m.id = a.message_id
 WHERE a.id = :attempt AND a.outcome IS NULL AND m.state = 'claimed'
   AND NOT EXISTS (SELECT 1 FROM part p WHERE p.attempt_id = a.id AND p.number = :number);

-- complete part --
-- One that was written off had gone after all, as long as its message has not been begun again.
UPDATE part SET state = 'sent', reference = :reference, sent_at = :now
 WHERE attempt_id = :attempt AND number = :number
   AND (state = 'begun' OR (state = 'written_off'
        AND (SELECT m.state FROM message m WHERE m.id = part.message_id) = 'queued'))
RETURNING id, message_id, phone_id, begun_at;

-- what a part changes --
-- All that is asked when the network has taken one, in one look: it is asked for each.
SELECT m.state, m.begun_on, p.number, p.total,
       EXISTS (SELECT 1 FROM part q WHERE q.message_id = p.message_id AND q.number > p.number AND q.state = 'sent') AS later,
       EXISTS (SELECT 1 FROM report r
                WHERE r.phone_id = p.phone_id AND r.reference = p.reference AND r.part_id IS NULL) AS reported,
       EXISTS (SELECT 1 FROM message u WHERE u.state = 'uncertain' AND u.phone_id = p.phone_id) AS doubts
  FROM part p JOIN message m ON m.id = p.message_id WHERE p.id = :id;

-- refuse parts --
UPDATE part SET state = 'refused', size = 0 WHERE attempt_id = :attempt AND state = 'begun';

-- begun on --
UPDATE message SET begun_on = :phone WHERE id = :id AND begun_on IS NOT :phone;

-- parts --
SELECT attempt_id, number, total, state, reference, verdict, verdict_code, verdict_words FROM part
 WHERE message_id = :message AND state IN ('begun', 'sent') ORDER BY number, id;

-- sent parts --
SELECT number, reference FROM part WHERE message_id = :message AND state = 'sent';

-- some part went --
SELECT EXISTS (SELECT 1 FROM part WHERE message_id = :message AND state = 'sent');

-- message state --
SELECT state, fault_class FROM message WHERE id = :id;

-- claimed --
SELECT m.id, m.phone_id, (SELECT max(a.id) FROM attempt a WHERE a.message_id = m.id) AS attempt
  FROM message m WHERE m.state = 'claimed' ORDER BY +m.id;

-- part by reference --
-- Newest first: TP-MR has eight bits and comes round. A part that was delivered wants no more reports.
SELECT p.id, p.begun_at, p.sent_at, m.destination FROM part p JOIN message m ON m.id = p.message_id
 WHERE p.phone_id = :phone AND p.reference = :reference AND p.state = 'sent' AND +p.begun_at >= :since
   AND (p.verdict IS NULL OR p.verdict <> 'delivered')
 ORDER BY p.id DESC LIMIT 20;

-- parts in flight --
-- Begun, and their answer is still awaited: a report may come before it.
SELECT m.destination FROM message m CROSS JOIN part p ON p.message_id = m.id
 WHERE m.state = 'claimed' AND m.phone_id = :phone AND +p.phone_id = :phone AND p.state = 'begun';

-- parts in doubt --
-- Given up without an answer: a report may tell that they went, and under which reference. So may
-- one of a message that waits to be sent again by the phone that it is about.
SELECT p.id, p.message_id, p.attempt_id, p.phone_id, p.number, p.begun_at, m.destination,
       (SELECT q.reference FROM part q NOT INDEXED
         WHERE q.phone_id = p.phone_id AND q.id < p.id AND q.reference IS NOT NULL
         ORDER BY q.id DESC LIMIT 1) AS previous
  FROM message m CROSS JOIN part p ON p.message_id = m.id
 WHERE m.state = 'uncertain' AND m.phone_id = :phone AND +p.phone_id = :phone AND p.state = 'begun'
   AND +p.begun_at >= :since
 UNION ALL
SELECT p.id, p.message_id, p.attempt_id, p.phone_id, p.number, p.begun_at, m.destination,
       (SELECT q.reference FROM part q NOT INDEXED
         WHERE q.phone_id = p.phone_id AND q.id < p.id AND q.reference IS NOT NULL
         ORDER BY q.id DESC LIMIT 1)
  FROM message m CROSS JOIN part p ON p.message_id = m.id
 WHERE m.state = 'queued' AND m.begun_on = :phone AND +p.phone_id = :phone AND p.state = 'written_off'
   AND +p.begun_at >= :since
 ORDER BY 1;

-- parts that may have gone --
SELECT p.attempt_id, p.number, p.begun_at, m.destination, m.text, m.state
  FROM message m CROSS JOIN part p ON p.message_id = m.id
 WHERE m.state = 'uncertain' AND m.phone_id = :phone AND +p.phone_id = :phone AND p.state = 'begun' AND +p.begun_at >= :since
 UNION ALL
SELECT p.attempt_id, p.number, p.begun_at, m.destination, m.text, m.state
  FROM message m CROSS JOIN part p ON p.message_id = m.id
 WHERE m.state = 'claimed' AND m.phone_id = :phone AND +p.phone_id = :phone AND p.state = 'begun' AND +p.begun_at >= :since
 ORDER BY begun_at;

-- bound references --
SELECT reference FROM part WHERE phone_id = :phone AND reference IN (SELECT value FROM json_each(:references));

-- judge part --
-- A final verdict is kept, but a failure may still turn out to have been delivered.
UPDATE part SET verdict = :verdict, verdict_code = :code, verdict_words = :words, verdict_at = :now
 WHERE id = :id AND (verdict IS NULL OR verdict = 'trying' OR (verdict = 'failed' AND :verdict = 'delivered'))
RETURNING message_id;

-- same report --
SELECT id FROM report WHERE phone_id = :phone AND key = :key;

-- add report --
INSERT INTO report (phone_id, key, reference, recipient, verdict, code, words, at, received_at, part_id)
VALUES (:phone, :key, :reference, :recipient, :verdict, :code, :words, :at, :now, :part);

-- bind report --
UPDATE report SET part_id = :part WHERE id = :id;

-- loose reports --
SELECT id, recipient, verdict, code, words FROM report
 WHERE phone_id = :phone AND reference = :reference AND part_id IS NULL AND received_at >= :since ORDER BY id;

-- all loose reports --
SELECT id, reference, recipient, verdict, code, words FROM report
 WHERE phone_id = :phone AND part_id IS NULL AND received_at >= :since ORDER BY id;

-- awaited --
SELECT p.reference, m.destination, p.sent_at FROM part p JOIN message m ON m.id = p.message_id
 WHERE p.phone_id = :phone AND p.state = 'sent' AND (p.verdict IS NULL OR p.verdict = 'trying')
   AND p.sent_at >= :since AND length(p.reference) > 3
 ORDER BY p.id LIMIT 500;

-- add sended --
INSERT INTO sended (message_id, account_id, phone_id, adapter, uid, at, status, created_at)
SELECT m.id, m.account_id, m.phone_id, coalesce(p.adapter, ''), :uid, :now, :status, :now
  FROM message m LEFT JOIN phone p ON p.id = m.phone_id
 WHERE m.id = :id AND NOT EXISTS (SELECT 1 FROM sended s WHERE s.message_id = m.id);

-- sended status --
UPDATE sended SET status = :status, updated_at = :now WHERE message_id = :id AND status <> :status;

-- same incoming --
-- By the card, which may have changed its modem; by the phone where either did not tell its card.
SELECT id FROM incoming WHERE sim = :sim AND key = :key AND came_at >= :since
UNION ALL
SELECT id FROM incoming WHERE phone_id = :phone AND key = :key AND came_at >= :since
   AND (sim IS NULL OR :sim IS NULL)
LIMIT 1;

-- add incoming --
INSERT INTO incoming (phone_id, sim, key, raw, origin, sent_at, came_at, reference, wide, total, number, series,
                      error, kind)
VALUES (:phone, :sim, :key, :raw, :origin, :sent_at, :now, :reference, :wide, :total, :number, :series, :error, :kind)
RETURNING id;

-- open series --
-- Unfinished long messages with that reference that still lack this part, newest first.
SELECT i.series, max(coalesce(i.sent_at, i.came_at)) AS newest FROM incoming i
 WHERE (i.phone_id = :phone OR i.sim = :sim) AND i.origin = :origin AND i.reference = :reference AND i.wide = :wide
   AND i.total = :total AND i.received_id IS NULL AND i.series IS NOT NULL
 GROUP BY i.series
HAVING sum(i.number = :number) = 0 AND max(i.came_at) >= :since
   AND max(abs(coalesce(i.sent_at, i.came_at) - :sent_at)) <= :apart
 ORDER BY newest DESC LIMIT 1;

-- new series --
SELECT coalesce(max(series), 0) + 1 FROM incoming;

-- series --
SELECT id, raw, number, total, origin, sent_at, phone_id, series FROM incoming WHERE series = :series ORDER BY number;

-- stale series --
SELECT series FROM incoming WHERE series IS NOT NULL AND received_id IS NULL
 GROUP BY series HAVING max(came_at) < :before;

-- add received --
INSERT INTO received (phone_id, at, sent_at, origin, text, flash, complete, kind, replace_type, created_at)
VALUES (:phone, :now, :sent_at, :origin, :text, :flash, :complete, :kind, :replace_type, :now) RETURNING id;

-- replaceable --
SELECT id, coalesce(sent_at, at) AS at FROM received
 WHERE phone_id = :phone AND origin = :origin AND replace_type = :type AND replaced_by IS NULL AND id <> :id;

-- replace --
UPDATE received SET replaced_by = :by WHERE id = :id;

-- add datagram --
INSERT INTO datagram (phone_id, at, sent_at, origin, destination_port, source_port, data, created_at)
VALUES (:phone, :now, :sent_at, :origin, :destination, :source, :data, :now) RETURNING id;

-- tell datagram --
INSERT INTO event (at, kind, words) VALUES (:now, 'datagram', :id);

-- tell waiting --
INSERT INTO event (at, kind, words) VALUES (:now, 'waiting', :words);

-- incoming is --
UPDATE incoming SET received_id = :received, datagram_id = :datagram WHERE id = :id;

-- series is --
UPDATE incoming SET received_id = :received, datagram_id = :datagram WHERE series = :series;

-- close series --
-- Its parts are kept, raw, and wait for no more.
UPDATE incoming SET series = NULL, datagram_id = :datagram WHERE series = :series;

-- begin call --
INSERT INTO called (phone_id, uid, started_at, origin, created_at) VALUES (:phone, :uid, :now, :origin, :now)
ON CONFLICT (uid) DO UPDATE SET origin = excluded.origin, updated_at = :now RETURNING id;

-- end call --
UPDATE called SET ended_at = :now, updated_at = :now WHERE uid = :uid AND ended_at IS NULL RETURNING id;

-- tell call --
INSERT INTO event (at, kind, called_id, words) VALUES (:now, :kind, :id, NULL);

-- pin attempt --
SELECT refused FROM pin_attempt WHERE sim = :sim AND digest = :digest;

-- claim pin --
INSERT INTO pin_attempt (sim, digest, at) VALUES (:sim, :digest, :now);

-- pin refused --
UPDATE pin_attempt SET refused = 1 WHERE sim = :sim AND digest = :digest;

-- pins refused --
SELECT count(*) FROM pin_attempt WHERE sim = :sim AND refused = 1;

-- forget pin --
DELETE FROM pin_attempt WHERE sim = :sim AND digest = :digest AND refused = 0;

-- idempotent --
SELECT digest, answer, headers FROM idempotency WHERE account_id = :account AND key = :key AND at >= :since;

-- remember idempotent --
INSERT INTO idempotency (account_id, key, digest, answer, headers, at)
VALUES (:account, :key, :digest, :answer, :headers, :now)
ON CONFLICT (account_id, key) DO UPDATE
   SET digest = excluded.digest, answer = excluded.answer, headers = excluded.headers, at = excluded.at;

-- forget idempotent --
DELETE FROM idempotency WHERE at < :before;

-- pulse --
UPDATE pulse SET at = :now;

-- counts --
-- In one pass of an index that holds all of it: a million may wait.
SELECT 'queued' AS state, count(*) AS n, min(due_at) AS oldest FROM message INDEXED BY message_due WHERE state = 'queued'
 UNION ALL SELECT 'claimed', count(*), NULL FROM message WHERE state = 'claimed'
 UNION ALL SELECT 'uncertain', count(*), NULL FROM message WHERE state = 'uncertain';

-- message --
SELECT * FROM message WHERE id = :id AND (:account IS NULL OR account_id = :account);

-- changes of --
SELECT at, state, words FROM event WHERE message_id = :id AND kind = 'state' ORDER BY id;

-- attempts of --
SELECT a.*, p.name AS phone FROM attempt a JOIN phone p ON p.id = a.phone_id WHERE a.message_id = :id ORDER BY a.id;

-- parts of attempt --
SELECT * FROM part WHERE attempt_id = :id ORDER BY number;

-- numbers of scheduled --
SELECT id, scheduled_id, number, data, created_at, updated_at FROM scheduled_number WHERE scheduled_id = :id ORDER BY id LIMIT :limit;

-- list sended --
SELECT s.id, s.at, m.text, m.destination, m.flash, s.status, s.uid, s.adapter, s.account_id,
       CASE WHEN p.present = 1 THEN s.phone_id END AS phone_id, m.mms, m.scheduled_id,
       s.created_at, s.updated_at, m.tag
  FROM sended s JOIN message m ON m.id = s.message_id LEFT JOIN phone p ON p.id = s.phone_id
 WHERE (:account IS NULL OR s.account_id = :account) AND s.id > :after AND s.id < :before

-- list received --
-- What comes in belongs to everybody who may use the phone it came to.
SELECT r.* FROM received r WHERE r.replaced_by IS NULL AND r.id > :after AND r.id < :before

-- list inbox --
-- The same, with those that a newer one of their type replaced.
SELECT r.* FROM received r WHERE r.id > :after AND r.id < :before

-- list call --
SELECT c.* FROM called c WHERE c.id > :after AND c.id < :before

-- list datagram --
SELECT d.* FROM datagram d WHERE d.id > :after AND d.id < :before

-- list scheduled --
SELECT s.* FROM scheduled s
 WHERE (:account IS NULL OR s.account_id = :account) AND s.id > :after AND s.id < :before

-- list phone --
SELECT p.* FROM phone p WHERE p.present = 1 AND p.id > :after AND p.id < :before

-- list message --
SELECT m.* FROM message m
 WHERE (:account IS NULL OR m.account_id = :account) AND m.id > :after AND m.id < :before
   AND (:scheduled IS NULL OR m.scheduled_id = :scheduled) AND (:state IS NULL OR m.state = :state)

-- recall --
SELECT value FROM lore WHERE key = :key;

-- remember --
INSERT INTO lore (key, value, at) VALUES (:key, :value, :now)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at;

-- What follows is of campaigns: store/campaigns.py.

-- add scheduled contacts --
-- Of those that its sender may use.
INSERT INTO scheduled_contact (scheduled_id, contact_id)
SELECT :scheduled, c.id FROM contact c WHERE c.id IN (SELECT value FROM json_each(:ids))
   AND (:account IS NULL OR c.account_id = :account);

-- add scheduled groups --
INSERT INTO scheduled_group (scheduled_id, group_id)
SELECT :scheduled, g.id FROM contact_group g WHERE g.id IN (SELECT value FROM json_each(:ids))
   AND (:account IS NULL OR g.account_id = :account);

-- due scheduled --
SELECT id FROM scheduled WHERE at <= :now ORDER BY batches, at, id LIMIT 100;

-- recipients by numbers --
SELECT id, number FROM scheduled_number WHERE scheduled_id = :id ORDER BY id LIMIT :limit;

-- expanded numbers --
DELETE FROM scheduled_number WHERE scheduled_id = :scheduled AND id <= :id;

-- recipients by contacts --
SELECT s.contact_id AS id, c.number FROM scheduled_contact s JOIN contact c ON c.id = s.contact_id
 WHERE s.scheduled_id = :id ORDER BY s.contact_id LIMIT :limit;

-- expanded contacts --
DELETE FROM scheduled_contact WHERE scheduled_id = :scheduled AND contact_id <= :id;

-- recipients by groups --
SELECT m.contact_id AS id, m.group_id, c.number
  FROM scheduled_group s JOIN member m ON m.group_id = s.group_id AND m.contact_id > s.reached
  JOIN contact c ON c.id = m.contact_id
 WHERE s.scheduled_id = :id ORDER BY m.group_id, m.contact_id LIMIT :limit;

-- expanded groups --
UPDATE scheduled_group SET reached = CASE WHEN group_id = :group_id THEN :id ELSE 9223372036854775807 END
 WHERE scheduled_id = :scheduled AND group_id <= :group_id;

-- expanded once more --
UPDATE scheduled SET batches = batches + 1 WHERE id = :id;

-- scheduled to expand --
SELECT id, account_id, tag FROM scheduled WHERE id = :id;

-- already messages --
SELECT destination FROM message WHERE scheduled_id = :id AND destination IN (SELECT value FROM json_each(:numbers));

-- newest message --
SELECT coalesce(max(id), 0) FROM message;

-- add messages --
-- One for each number, in their order. Its validity begins when it is due.
-- A route by prefix and a phone that is known are looked for where no phone was asked for.
INSERT INTO message (account_id, scheduled_id, destination, text, parts, flash, mms, tag, wanted_phone_id,
                     wanted_group_id, prefix, known_phone_id, sticky, watched,
                     priority, send_windows, state, created_at, due_at, expires_at)
SELECT s.account_id, s.id, n.value, s.text, s.parts, s.flash, s.mms, s.tag, s.phone_id, s.phone_group_id,
       CASE WHEN s.phone_id IS NULL AND s.phone_group_id IS NULL THEN
           (SELECT prefix FROM prefix WHERE instr(n.value, prefix) = 1 ORDER BY length(prefix) DESC LIMIT 1) END,
       CASE WHEN s.sticky AND s.phone_id IS NULL THEN
           (SELECT phone_id FROM (SELECT * FROM (SELECT w.phone_id, w.created_at AS at FROM message w
                                   WHERE w.watched = 1 AND w.destination = n.value AND w.phone_id IS NOT NULL
                                   ORDER BY w.id DESC LIMIT 1)
                      UNION ALL SELECT * FROM (SELECT r.phone_id, r.at FROM received r
                                   WHERE r.origin = n.value ORDER BY r.id DESC LIMIT 1))
             ORDER BY at DESC LIMIT 1) END,
       s.sticky, s.sticky OR :watched, s.priority, s.send_windows,
       'queued', :now, :now, max(s.at, s.created_at) + s.validity_seconds * 1000
  FROM scheduled s JOIN json_each(:numbers) n
 WHERE s.id = :id
 ORDER BY n.key;

-- tell new messages --
INSERT INTO event (at, kind, message_id, state) SELECT :now, 'state', id, 'queued'
  FROM message WHERE id > :after ORDER BY id;

-- add campaign --
INSERT INTO campaign (scheduled_id, account_id, created_at, invalid) VALUES (:id, :account, :now, :invalid);

-- count campaign --
INSERT INTO campaign (scheduled_id, account_id, created_at, expanded, duplicate, stopped)
VALUES (:id, :account, :now, :expanded, :duplicate, :stopped)
ON CONFLICT (scheduled_id) DO UPDATE SET expanded = expanded + excluded.expanded,
       duplicate = duplicate + excluded.duplicate, stopped = stopped + excluded.stopped;

-- is campaign --
SELECT account_id FROM campaign WHERE scheduled_id = :id;

-- end campaign --
UPDATE campaign SET ended_at = :now WHERE scheduled_id = :id AND ended_at IS NULL;

-- cancel campaign --
UPDATE campaign SET cancelled_at = :now, ended_at = NULL, withdrawn = :withdrawn WHERE scheduled_id = :id;

-- cancelling --
SELECT scheduled_id AS id FROM campaign WHERE cancelled_at IS NOT NULL AND ended_at IS NULL;

-- waiting recipients --
-- How many of a scheduled row have not become messages yet; those of two groups count twice.
SELECT (SELECT count(*) FROM scheduled_number WHERE scheduled_id = :id)
     + (SELECT count(*) FROM scheduled_contact WHERE scheduled_id = :id)
     + (SELECT count(*) FROM scheduled_group s JOIN member m ON m.group_id = s.group_id AND m.contact_id > s.reached
         WHERE s.scheduled_id = :id);

-- states of campaign --
-- Without GROUP BY, which would sort a hundred thousand rows in memory.
SELECT total(state = 'queued') AS queued, total(state = 'claimed') AS claimed, total(state = 'sent') AS sent,
       total(state = 'delivered') AS delivered, total(state = 'failed') AS failed,
       total(state = 'expired') AS expired, total(state = 'cancelled') AS cancelled,
       total(state = 'uncertain') AS uncertain
  FROM message WHERE scheduled_id = :id;

-- list campaign --
SELECT c.scheduled_id AS id, c.*, s.at, s.batches FROM campaign c LEFT JOIN scheduled s ON s.id = c.scheduled_id
 WHERE (:account IS NULL OR c.account_id = :account) AND c.scheduled_id > :after AND c.scheduled_id < :before

-- contacts of scheduled --
SELECT c.* FROM scheduled_contact s JOIN contact c ON c.id = s.contact_id WHERE s.scheduled_id = :id ORDER BY c.id LIMIT :limit;

-- groups of scheduled --
SELECT g.* FROM scheduled_group s JOIN contact_group g ON g.id = s.group_id WHERE s.scheduled_id = :id ORDER BY g.id LIMIT :limit;

-- What follows is of contacts and groups: store/contacts.py.

-- add contact --
INSERT INTO contact (account_id, name, number, data, created_at) VALUES (:account, :name, :number, :data, :now) RETURNING id;

-- add group --
INSERT INTO contact_group (account_id, name, created_at) VALUES (:account, :name, :now) RETURNING id;

-- add members --
INSERT INTO member (group_id, contact_id)
SELECT :id, c.id FROM contact c WHERE c.id IN (SELECT value FROM json_each(:ids))
   AND (:account IS NULL OR c.account_id = :account);

-- remove members --
DELETE FROM member WHERE group_id = :id;

-- change contact --
UPDATE contact SET name = :name, number = :number, data = :data, updated_at = :now WHERE id = :id;

-- change group --
UPDATE contact_group SET name = :name, updated_at = :now WHERE id = :id;

-- remove contact --
DELETE FROM contact WHERE id = :id AND (:account IS NULL OR account_id = :account) RETURNING id;

-- remove group --
DELETE FROM contact_group WHERE id = :id AND (:account IS NULL OR account_id = :account) RETURNING id;

-- one contact --
SELECT * FROM contact WHERE id = :id AND (:account IS NULL OR account_id = :account);

-- one group --
SELECT * FROM contact_group WHERE id = :id AND (:account IS NULL OR account_id = :account);

-- list contact --
SELECT c.* FROM contact c
 WHERE (:account IS NULL OR c.account_id = :account) AND c.id > :after AND c.id < :before
   AND (:group IS NULL OR EXISTS (SELECT 1 FROM member m WHERE m.group_id = :group AND m.contact_id = c.id))

-- list group --
SELECT g.*, (SELECT count(*) FROM member m WHERE m.group_id = g.id) AS members FROM contact_group g
 WHERE (:account IS NULL OR g.account_id = :account) AND g.id > :after AND g.id < :before

-- contacts of group --
SELECT c.* FROM member m JOIN contact c ON c.id = m.contact_id WHERE m.group_id = :id ORDER BY c.id LIMIT :limit;

-- What follows is of keeping: store/backup.py, retention.py and erasure.py.

-- tell held --
INSERT INTO event (at, kind, message_id, state, words)
SELECT :now, 'state', id, 'uncertain', :words FROM message WHERE state IN ('queued', 'claimed');

-- add held to sended --
-- A message in doubt shows among the sent ones.
INSERT INTO sended (message_id, account_id, phone_id, adapter, uid, at, status, created_at)
SELECT m.id, m.account_id, m.phone_id, coalesce(p.adapter, ''), lower(hex(randomblob(16))), :now, :status, :now
  FROM message m LEFT JOIN phone p ON p.id = m.phone_id
 WHERE m.state IN ('queued', 'claimed') AND NOT EXISTS (SELECT 1 FROM sended s WHERE s.message_id = m.id);

-- hold attempts --
UPDATE attempt SET ended_at = :now, outcome = 'uncertain' WHERE outcome IS NULL;

-- hold all doubts --
-- Nor is sent again by itself what was to be after so long.
UPDATE message SET resend_at = NULL WHERE state = 'uncertain' AND resend_at IS NOT NULL;

-- hold messages --
UPDATE message SET state = 'uncertain', fault_class = 'ambiguous', fault_code = NULL, fault_words = :words,
       fault_hint = NULL WHERE state IN ('queued', 'claimed');

-- database file --
SELECT file FROM pragma_database_list WHERE name = 'main';

-- old message --
-- A part that a limit may still count, or a report may still come for, keeps its message; so does
-- being an answer that is not to be given again yet.
SELECT m.id, m.created_at < :before AS past,
       m.created_at < :before AND m.state IN ('delivered', 'sent', 'failed', 'expired', 'cancelled')
       AND NOT EXISTS (SELECT 1 FROM part p WHERE p.message_id = m.id AND p.begun_at >= :since)
       AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.message_id = m.id AND a.at >= :answered)
       AND NOT EXISTS (SELECT 1 FROM scheduled s WHERE s.id = m.scheduled_id) AS old
  FROM message m WHERE m.id > :after ORDER BY m.id LIMIT :limit;

-- forget message --
DELETE FROM message WHERE id IN (SELECT value FROM json_each(:ids));

-- forget attempts of message --
DELETE FROM attempt WHERE message_id IN (SELECT value FROM json_each(:ids));

-- forget parts of message --
DELETE FROM part WHERE message_id IN (SELECT value FROM json_each(:ids));

-- forget sended of message --
DELETE FROM sended WHERE message_id IN (SELECT value FROM json_each(:ids));

-- forget events of message --
DELETE FROM event WHERE message_id IN (SELECT value FROM json_each(:ids));

-- old received --
SELECT id, created_at < :before AS past, created_at < :before AS old FROM received WHERE id > :after ORDER BY id LIMIT :limit;

-- forget received --
DELETE FROM received WHERE id IN (SELECT value FROM json_each(:ids));

-- forget events of received --
DELETE FROM event WHERE received_id IN (SELECT value FROM json_each(:ids));

-- forget incoming of received --
DELETE FROM incoming WHERE received_id IN (SELECT value FROM json_each(:ids));

-- forget replaced by received --
-- One that it replaced stays hidden: behind itself.
UPDATE received SET replaced_by = id WHERE replaced_by IN (SELECT value FROM json_each(:ids));

-- old datagram --
SELECT id, created_at < :before AS past, created_at < :before AS old FROM datagram WHERE id > :after ORDER BY id LIMIT :limit;

-- forget datagram --
DELETE FROM datagram WHERE id IN (SELECT value FROM json_each(:ids));

-- forget incoming of datagram --
DELETE FROM incoming WHERE datagram_id IN (SELECT value FROM json_each(:ids));

-- old call --
SELECT id, created_at < :before AS past, created_at < :before AS old FROM called WHERE id > :after ORDER BY id LIMIT :limit;

-- forget call --
DELETE FROM called WHERE id IN (SELECT value FROM json_each(:ids));

-- forget events of call --
DELETE FROM event WHERE called_id IN (SELECT value FROM json_each(:ids));

-- old raw --
-- Parts of a message that is not whole yet are no old ones.
SELECT id, came_at < :before AS past, came_at < :before AND (series IS NULL OR received_id IS NOT NULL) AS old
  FROM incoming WHERE id > :after ORDER BY id LIMIT :limit;

-- forget raw --
DELETE FROM incoming WHERE id IN (SELECT value FROM json_each(:ids));

-- old report --
SELECT id, received_at < :before AS past, received_at < :before AS old FROM report WHERE id > :after ORDER BY id LIMIT :limit;

-- forget report --
DELETE FROM report WHERE id IN (SELECT value FROM json_each(:ids));

-- old event --
-- Those of messages are their history, and go with them.
SELECT id, at < :before AS past, at < :before AND message_id IS NULL AS old FROM event WHERE id > :after ORDER BY id LIMIT :limit;

-- forget event --
DELETE FROM event WHERE id IN (SELECT value FROM json_each(:ids));

-- old campaign --
SELECT scheduled_id AS id, created_at < :before AS past,
       created_at < :before AND ended_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM message m WHERE m.scheduled_id = campaign.scheduled_id) AS old
  FROM campaign WHERE scheduled_id > :after ORDER BY scheduled_id LIMIT :limit;

-- forget campaign --
DELETE FROM campaign WHERE scheduled_id IN (SELECT value FROM json_each(:ids));

-- messages to --
SELECT id, state IN ('claimed', 'uncertain') OR (state = 'queued' AND begun_on IS NOT NULL) AS begun
  FROM message WHERE destination IN (SELECT value FROM json_each(:numbers)) ORDER BY id;

-- erase reports of messages --
UPDATE report SET recipient = :erased, words = '' WHERE part_id IN (
    SELECT id FROM part WHERE message_id IN (SELECT value FROM json_each(:ids)));

-- erase parts of messages --
-- Limits count by phone and time alone.
UPDATE part SET reference = NULL WHERE message_id IN (SELECT value FROM json_each(:ids));

-- erase attempts of messages --
-- A modem or provider may have named the number.
UPDATE attempt SET fault_words = :erased, fault_hint = NULL
 WHERE message_id IN (SELECT value FROM json_each(:ids)) AND fault_class IS NOT NULL;

-- erase events of messages --
UPDATE event SET words = NULL WHERE message_id IN (SELECT value FROM json_each(:ids));

-- erase messages of messages --
-- What is left is what a limit or a count needs.
UPDATE message SET destination = :erased, text = '', tag = NULL, prefix = NULL, fault_hint = NULL,
       fault_words = CASE WHEN fault_class IS NOT NULL THEN :erased END
 WHERE id IN (SELECT value FROM json_each(:ids));

-- erase incoming --
-- The key stays, a digest, so that a repeat is known for one.
UPDATE incoming SET raw = '', origin = '', series = NULL, received_id = NULL, datagram_id = NULL, error = NULL
 WHERE origin IN (SELECT value FROM json_each(:numbers));

-- erase events of received --
DELETE FROM event WHERE received_id IN (
    SELECT id FROM received WHERE origin IN (SELECT value FROM json_each(:numbers)));

-- hide replaced by erased --
UPDATE received SET replaced_by = id WHERE replaced_by IN (
    SELECT id FROM received WHERE origin IN (SELECT value FROM json_each(:numbers)));

-- erase received --
DELETE FROM received WHERE origin IN (SELECT value FROM json_each(:numbers));

-- erase datagrams --
DELETE FROM datagram WHERE origin IN (SELECT value FROM json_each(:numbers));

-- erase reports --
UPDATE report SET recipient = :erased, words = '' WHERE recipient IN (SELECT value FROM json_each(:numbers));

-- erase calls --
UPDATE called SET origin = :erased WHERE origin IN (SELECT value FROM json_each(:numbers));

-- scheduled for --
SELECT DISTINCT scheduled_id AS id FROM scheduled_number WHERE number IN (SELECT value FROM json_each(:numbers))
UNION SELECT s.scheduled_id FROM scheduled_contact s JOIN contact c ON c.id = s.contact_id
 WHERE c.number IN (SELECT value FROM json_each(:numbers));

-- erase scheduled numbers --
DELETE FROM scheduled_number WHERE number IN (SELECT value FROM json_each(:numbers));

-- erase contacts --
DELETE FROM contact WHERE number IN (SELECT value FROM json_each(:numbers));

-- erase scheduled --
-- Those that were for nobody else.
DELETE FROM scheduled WHERE id IN (SELECT value FROM json_each(:ids))
   AND NOT EXISTS (SELECT 1 FROM scheduled_number n WHERE n.scheduled_id = scheduled.id)
   AND NOT EXISTS (SELECT 1 FROM scheduled_contact c WHERE c.scheduled_id = scheduled.id)
   AND NOT EXISTS (SELECT 1 FROM scheduled_group g WHERE g.scheduled_id = scheduled.id);

-- erase answers --
-- Their headers name numbers that were none: this one, perhaps, wrongly written.
UPDATE idempotency SET headers = NULL
 WHERE EXISTS (SELECT 1 FROM json_each(:numbers) n WHERE instr(idempotency.headers, n.value));

-- erase stops --
DELETE FROM smsstop WHERE number IN (SELECT value FROM json_each(:numbers));
-- declined --
UPDATE message SET declined = (
    SELECT group_concat(phone_id) FROM (
        SELECT DISTINCT phone_id FROM attempt WHERE message_id = :id AND outcome = 'declined' ORDER BY phone_id))
 WHERE id = :id;

-- known from now on --
-- What else waits for a recipient who knows no phone yet: he knows this one now.
UPDATE message SET known_phone_id = :phone
 WHERE watched = 1 AND destination = :destination AND state = 'queued' AND sticky = 1
   AND known_phone_id IS NULL AND wanted_phone_id IS NULL AND begun_on IS NULL;

-- over a guard --
-- The new messages whose recipients have had enough of that kind since a time; refused ones were
-- not had, and are not watched.
SELECT n.id, n.destination FROM message n
 WHERE +n.scheduled_id = :scheduled AND n.id > :after AND +n.state = 'queued'
   AND (SELECT count(*) FROM message m
         WHERE m.watched = 1 AND m.destination = n.destination AND m.id < n.id AND m.created_at >= :since
           AND (NOT :same_text OR m.text = n.text)
           AND m.state NOT IN ('cancelled', 'failed', 'expired')) >= :volume
 ORDER BY n.id;

-- not watched --
UPDATE message SET watched = 0 WHERE id = :id;

-- prefixes --
SELECT prefix FROM prefix ORDER BY prefix;

-- forget prefixes --
DELETE FROM prefix;

-- add prefix --
INSERT INTO prefix (prefix) VALUES (:prefix);

-- route anew --
UPDATE message SET prefix = (SELECT p.prefix FROM prefix p WHERE instr(message.destination, p.prefix) = 1
                              ORDER BY length(p.prefix) DESC LIMIT 1)
 WHERE state = 'queued' AND wanted_phone_id IS NULL AND wanted_group_id IS NULL;

-- grouped phones --
SELECT group_id, phone_id FROM phone_group_phone;

-- phone group --
SELECT * FROM phone_group WHERE id = :id AND (:account IS NULL OR account_id = :account);

-- phone group named --
SELECT id FROM phone_group WHERE name = :name AND account_id = :account;

-- list phone_group --
SELECT g.* FROM phone_group g
 WHERE (:account IS NULL OR g.account_id = :account) AND g.id > :after AND g.id < :before

-- phones of group --
SELECT p.* FROM phone p JOIN phone_group_phone m ON m.phone_id = p.id
 WHERE m.group_id = :id AND p.present = 1 ORDER BY p.id;

-- add phone group --
INSERT INTO phone_group (account_id, name, created_at) VALUES (:account, :name, :now) RETURNING id;

-- change phone group --
UPDATE phone_group SET name = :name, updated_at = :now WHERE id = :id;

-- empty phone group --
DELETE FROM phone_group_phone WHERE group_id = :id;

-- add to phone group --
INSERT INTO phone_group_phone (group_id, phone_id) VALUES (:id, :phone);

-- wait for group --
-- What is queued is told by its lane.
SELECT EXISTS (SELECT 1 FROM scheduled WHERE phone_group_id = :id)
    OR EXISTS (SELECT 1 FROM message WHERE state = 'claimed' AND wanted_group_id = :id)
    OR EXISTS (SELECT 1 FROM message WHERE state = 'uncertain' AND wanted_group_id = :id);

-- remove phone group --
DELETE FROM phone_group WHERE id = :id;

-- bars --
SELECT * FROM phone_bar;

-- lift bars --
DELETE FROM phone_bar WHERE phone_id = :phone;

-- add bar --
INSERT INTO phone_bar (phone_id, kind, health, words, hint, since, until, openings)
VALUES (:phone, :kind, :health, :words, :hint, :since, :until, :openings);

-- stop --
SELECT id FROM smsstop WHERE account_id = :account AND number = :number;

-- add stop --
INSERT INTO smsstop (account_id, number, created_at) VALUES (:account, :number, :now)
ON CONFLICT (account_id, number) DO NOTHING RETURNING id;

-- remove stop --
DELETE FROM smsstop WHERE id = :id AND (:account IS NULL OR account_id = :account);

-- remove stop of --
-- What its owner said is undone by its owner; what an account has entered itself is that account's.
DELETE FROM smsstop WHERE number = :number AND account_id = 0;

-- is stopped --
SELECT 1 FROM smsstop WHERE number = :number AND account_id IN (0, :account);

-- stopped numbers --
SELECT number FROM smsstop WHERE account_id IN (0, :account);

-- stopped of scheduled --
SELECT m.id FROM message m WHERE +m.scheduled_id = :id AND m.id > :after AND +m.state = 'queued'
   AND EXISTS (SELECT 1 FROM smsstop s WHERE s.number = m.destination AND s.account_id IN (0, m.account_id));

-- message is stopped --
SELECT 1 FROM message m JOIN smsstop s ON s.number = m.destination AND s.account_id IN (0, m.account_id)
 WHERE m.id = :id
   AND NOT EXISTS (SELECT 1 FROM part p WHERE p.message_id = m.id AND p.state = 'sent')
   AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.message_id = m.id AND a.rule = 'stop');

-- list smsstop --
SELECT s.* FROM smsstop s
 WHERE (:account IS NULL OR s.account_id IN (0, :account)) AND s.id > :after AND s.id < :before

-- answers since --
SELECT count(*) FROM answer WHERE number = :number AND at BETWEEN :since AND :now;

-- answered by --
SELECT 1 FROM answer WHERE number = :number AND at BETWEEN :since AND :now AND rule = :rule;

-- reserve scheduled --
INSERT INTO scheduled (account_id, at, text, parts, flash, mms, tag, phone_id, validity_seconds, created_at)
VALUES (:account, :now, :text, :parts, 0, 0, :tag, :phone, :validity, :now) RETURNING id;

-- add answering message --
INSERT INTO message (account_id, scheduled_id, destination, text, parts, flash, mms, tag, wanted_phone_id,
                     watched, state, created_at, due_at, expires_at)
VALUES (:account, :scheduled, :number, :text, :parts, 0, 0, :tag, :phone, 1, 'queued', :now, :now, :expires_at)
RETURNING id;

-- add answer --
INSERT INTO answer (message_id, received_id, rule, number, at) VALUES (:message, :received, :rule, :number, :now);

-- received is a command --
UPDATE received SET command = 1 WHERE id = :id;

-- add command run --
INSERT INTO command_run (received_id, name, arguments, state, created_at)
VALUES (:received, :name, :arguments, 'waiting', :now);

-- waiting commands --
SELECT c.id, c.name, c.arguments, r.id AS received_id, r.origin, r.text, r.at, r.phone_id, p.name AS phone
  FROM command_run c JOIN received r ON r.id = c.received_id JOIN phone p ON p.id = r.phone_id
 WHERE c.state = 'waiting' ORDER BY c.id LIMIT 100;

-- begin command --
UPDATE command_run SET state = 'begun', begun_at = :now WHERE id = :id AND state = 'waiting';

-- end command --
UPDATE command_run SET state = :state, status = :status, words = :words, ended_at = :now
 WHERE id = :id AND state IN ('waiting', 'begun')
RETURNING received_id, (SELECT r.phone_id FROM received r WHERE r.id = received_id) AS phone_id;

-- interrupt commands --
UPDATE command_run SET state = 'interrupted', words = :words, ended_at = :now WHERE state = 'begun'
RETURNING id, name, received_id;

-- list command --
SELECT c.*, r.origin, r.phone_id FROM command_run c JOIN received r ON r.id = c.received_id
 WHERE c.id > :after AND c.id < :before


-- webhook named --
SELECT id FROM webhook WHERE name = :name;

-- no other named webhooks --
DELETE FROM webhook WHERE name IS NOT NULL AND name NOT IN (SELECT value FROM json_each(:names));

-- count webhooks --
SELECT count(*) FROM webhook;

-- add webhook --
INSERT INTO webhook (name, account_id, url, events, form, secret, allow_http, place, created_at)
VALUES (:name, :account, :url, :events, :form, :secret, :allow_http, (SELECT coalesce(max(id), 0) FROM event), :now)
RETURNING id;

-- change webhook --
UPDATE webhook SET account_id = :account, url = :url, events = :events, form = :form, secret = :secret,
       allow_http = :allow_http,
       updated_at = CASE WHEN url = :url AND events = :events AND form = :form AND allow_http = :allow_http
                          AND secret IS :secret AND account_id IS :account THEN updated_at ELSE :now END
 WHERE id = :id;

-- enable webhook --
-- What happened while it was off is not told any more.
UPDATE webhook SET enabled = 1, failures = 0, failing_since = NULL, fault = NULL, updated_at = :now,
       place = (SELECT coalesce(max(id), 0) FROM event)
 WHERE id = :id AND enabled = 0;

-- disable webhook --
UPDATE webhook SET enabled = 0, updated_at = :now WHERE id = :id;

-- remove webhook --
DELETE FROM webhook WHERE id = :id AND name IS NULL AND (:account IS NULL OR account_id = :account);

-- webhooks that are off --
SELECT id, name, fault FROM webhook WHERE enabled = 0 ORDER BY id;

-- enabled webhooks --
SELECT * FROM webhook WHERE enabled = 1 ORDER BY id;

-- list webhook --
SELECT w.*, (SELECT count(*) FROM dead_letter d WHERE d.webhook_id = w.id) AS dead FROM webhook w
 WHERE (:account IS NULL OR w.account_id = :account) AND w.id > :after AND w.id < :before

-- events after --
-- shown: the state in which the message showed among the sent ones before; again: a call told twice.
SELECT e.id, e.at, e.kind, e.state, m.account_id, (SELECT p.state FROM event p
         WHERE p.message_id = e.message_id AND p.id < e.id
           AND p.state IN ('sent', 'uncertain', 'delivered', 'failed', 'expired') ORDER BY p.id DESC LIMIT 1) AS shown,
       EXISTS (SELECT 1 FROM event c WHERE c.called_id = e.called_id AND c.id < e.id) AS again
  FROM event e LEFT JOIN message m ON m.id = e.message_id
 WHERE e.id > :place ORDER BY e.id LIMIT :limit;

-- letters wanted again --
SELECT e.id, e.at, e.kind, e.state, m.account_id, (SELECT p.state FROM event p
         WHERE p.message_id = e.message_id AND p.id < e.id
           AND p.state IN ('sent', 'uncertain', 'delivered', 'failed', 'expired') ORDER BY p.id DESC LIMIT 1) AS shown,
       EXISTS (SELECT 1 FROM event c WHERE c.called_id = e.called_id AND c.id < e.id) AS again
  FROM dead_letter d JOIN event e ON e.id = d.event_id LEFT JOIN message m ON m.id = e.message_id
 WHERE d.webhook_id = :webhook AND d.again = 1 ORDER BY e.id LIMIT 200;

-- letters --
SELECT d.id, d.event_id, d.at, d.fault, d.again, e.at AS event_at, e.kind, e.state, e.message_id, e.received_id,
       e.called_id, (SELECT p.state FROM event p WHERE p.message_id = e.message_id AND p.id < e.id
           AND p.state IN ('sent', 'uncertain', 'delivered', 'failed', 'expired') ORDER BY p.id DESC LIMIT 1) AS shown
  FROM dead_letter d JOIN event e ON e.id = d.event_id
 WHERE d.webhook_id = :webhook AND d.id > :after ORDER BY d.id LIMIT :limit;

-- subject of event --
SELECT e.id, e.at, e.kind, e.state, e.words, e.message_id,
       m.account_id, m.text, m.destination, m.mms, m.flash, m.tag, m.parts, m.scheduled_id, m.phone_id,
       s.id AS sended_id, s.at AS sended_at,
       r.id AS received_id, r.at AS received_at, r.text AS received_text, r.origin, r.command, r.phone_id AS received_phone,
       r.kind AS received_kind, r.complete,
       c.id AS called_id, c.uid, c.started_at, c.ended_at, c.origin AS caller, c.phone_id AS called_phone
  FROM event e LEFT JOIN message m ON m.id = e.message_id LEFT JOIN sended s ON s.message_id = m.id
  LEFT JOIN received r ON r.id = e.received_id LEFT JOIN called c ON c.id = e.called_id
 WHERE e.id = :id AND coalesce(m.id, r.id, c.id) IS NOT NULL;

-- event came at --
SELECT at FROM event WHERE id = :id;

-- webhook passed --
UPDATE webhook SET place = :place WHERE id = :id AND place < :place;

-- webhook took --
UPDATE webhook SET place = max(place, :place), failures = 0, failing_since = NULL, fault = NULL WHERE id = :id;

-- webhook failed --
UPDATE webhook SET failures = failures + 1, fault = :fault, failing_since = coalesce(failing_since, :now)
 WHERE id = :id RETURNING failing_since;

-- remove letter --
DELETE FROM dead_letter WHERE webhook_id = :webhook AND event_id = :event;

-- letter failed --
UPDATE dead_letter SET again = 0, fault = :fault WHERE webhook_id = :webhook AND event_id = :event;

-- bury --
INSERT INTO dead_letter (webhook_id, event_id, at, fault) VALUES (:webhook, :event, :now, :fault)
ON CONFLICT (webhook_id, event_id) DO UPDATE SET again = 0, fault = excluded.fault;

-- want letters again --
UPDATE dead_letter SET again = 1 WHERE webhook_id = :webhook AND (:event IS NULL OR event_id = :event);

-- next hours --
-- Of all that waits, hour by hour: few are different.
SELECT min(send_windows) FROM message WHERE state = 'queued' AND send_windows > :after;

-- wait for hours --
-- All that is due and has these hours. What it waited outside them is added to its validity.
UPDATE message SET due_at = :until, expires_at = expires_at + :until - max(due_at, :since)
 WHERE state = 'queued' AND send_windows = :hours AND due_at <= :now;

-- state of --
SELECT state FROM message WHERE id = :id;

-- resend later --
UPDATE message SET resend_at = :now + (SELECT resend_after FROM phone WHERE id = :phone)
 WHERE id = :id AND (SELECT count(*) FROM attempt WHERE message_id = :id AND outcome = 'uncertain') <= :most;

-- doubts to resend --
SELECT id, phone_id FROM message
 WHERE state = 'uncertain' AND resend_at IS NOT NULL AND resend_at <= :now AND expires_at > :now
 ORDER BY resend_at, id LIMIT 100;

-- resend after --
UPDATE phone SET resend_after = :after WHERE id = :id;

-- hold doubts --
-- Their phone's owner does not want them sent again any more.
UPDATE message SET resend_at = NULL WHERE state = 'uncertain' AND resend_at IS NOT NULL
   AND phone_id IN (SELECT id FROM phone WHERE resend_after IS NULL);

-- write off parts --
-- They may have gone, so the phone's limits count them; but the message is not to wait for them.
UPDATE part SET state = 'written_off' WHERE message_id = :message AND state = 'begun';

-- assume parts sent --
UPDATE part SET state = 'sent', sent_at = :now WHERE message_id = :message AND state = 'begun';

-- give time --
-- A message whose validity ended while it was in doubt gets as long again.
UPDATE message SET due_at = :now, resend_at = NULL,
       expires_at = CASE WHEN expires_at > :now THEN expires_at ELSE :now + max(expires_at - created_at, 300000) END
 WHERE id = :id;

-- pauses --
SELECT phone_id, at, account FROM pause;

-- pause --
INSERT INTO pause (phone_id, at, account) VALUES (:phone, :now, :account) ON CONFLICT (phone_id) DO NOTHING;

-- resume --
DELETE FROM pause WHERE phone_id = :phone;

-- resume all --
DELETE FROM pause;

-- newest event --
SELECT at FROM event WHERE id = (SELECT max(id) FROM event);

-- pulse at --
SELECT at FROM pulse;

-- open series exist --
SELECT EXISTS (SELECT 1 FROM incoming WHERE series IS NOT NULL AND received_id IS NULL);

-- What follows is of a clock that was set: store/shift.py. Rows come in the order of their times, so
-- that those since a time are found from the last one before it.

-- shift hours --
-- When they begin is found anew by the right time; until then the validity has not run.
UPDATE message SET due_at = :now, expires_at = expires_at - (due_at - :now)
 WHERE state = 'queued' AND send_windows IS NOT NULL AND due_at > :now;

-- shift messages --
-- What has waited since before keeps the time that it has left.
UPDATE message SET due_at = due_at + :step, expires_at = expires_at + :step, created_at = created_at + :step,
       resend_at = resend_at + :step
 WHERE created_at >= :since OR (state IN ('queued', 'claimed', 'uncertain') AND expires_at > :now);

-- shift parts --
UPDATE part SET begun_at = begun_at + :step, sent_at = sent_at + :step
 WHERE id > (SELECT coalesce(max(id), 0) FROM part WHERE begun_at < :since);

-- shift reports --
UPDATE report SET received_at = received_at + :step
 WHERE id > (SELECT coalesce(max(id), 0) FROM report WHERE received_at < :since);

-- shift incoming --
UPDATE incoming SET came_at = came_at + :step
 WHERE id > (SELECT coalesce(max(id), 0) FROM incoming WHERE came_at < :since);

-- shift received --
UPDATE received SET at = at + :step, created_at = created_at + :step
 WHERE id > (SELECT coalesce(max(id), 0) FROM received WHERE created_at < :since);

-- shift datagrams --
UPDATE datagram SET at = at + :step, created_at = created_at + :step
 WHERE id > (SELECT coalesce(max(id), 0) FROM datagram WHERE created_at < :since);

-- shift calls --
UPDATE called SET started_at = started_at + :step, ended_at = ended_at + :step, created_at = created_at + :step
 WHERE id > (SELECT coalesce(max(id), 0) FROM called WHERE created_at < :since);

-- shift events --
UPDATE event SET at = at + :step
 WHERE id > (SELECT coalesce(max(id), 0) FROM event WHERE at < :since);

-- shift scheduled --
-- A time that somebody asked for stays; what is to go at once is still to.
UPDATE scheduled SET at = CASE WHEN at > created_at THEN at ELSE at + :step END, created_at = created_at + :step
 WHERE id > (SELECT coalesce(max(id), 0) FROM scheduled WHERE created_at < :since) OR at <= :now;

-- shift campaigns --
UPDATE campaign SET created_at = created_at + :step, cancelled_at = cancelled_at + :step, ended_at = ended_at + :step
 WHERE scheduled_id > (SELECT coalesce(max(scheduled_id), 0) FROM campaign WHERE created_at < :since);

-- shift answers --
UPDATE answer SET at = at + :step
 WHERE message_id > (SELECT coalesce(max(message_id), 0) FROM answer WHERE at < :since);

-- shift idempotent --
UPDATE idempotency SET at = at + :step WHERE at >= :since;

-- shift webhooks --
-- A receiver has failed no longer for that.
UPDATE webhook SET failing_since = failing_since + :step WHERE failing_since IS NOT NULL;

-- shift pulse --
-- A later time that was noted by the wrong clock has never been.
UPDATE pulse SET at = :now + :step;
