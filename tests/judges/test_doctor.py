"""`doctor` looks at streams, topics and rules, and says what to do; it changes nothing there."""

import json

import pytest
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

import resources
from kafka_broker import free_ports
from product import ROOT, run, write

STREAM = """lake: {lake}
streams:
  - name: vitals
    kafka: {{brokers: "{brokers}", topic: {topic}, group: {topic}-readers}}
"""


@pytest.fixture
def doctor(tmp_path, broker, request):
    """Its findings by check, for one stream of a topic and what is added to the config."""
    topic = request.node.name.split("[")[0]

    def examine(extra="", brokers=broker.address, topic=topic, expect=None):
        config = write(tmp_path / "vitalake.yaml", STREAM.format(lake=tmp_path / "lake", brokers=brokers, topic=topic) + extra)
        done = run("--config", config, "doctor", "--format", "json", expect=(0, 1) if expect is None else expect)
        return {row["check"]: row for row in json.loads(done.stdout)}

    examine.topic = topic
    return examine


def test_a_stream_that_is_well(doctor, broker, tmp_path):
    broker.create(doctor.topic, 3)
    found = doctor(expect=0)
    assert found["stream vitals: broker"]["result"] == "ok"
    assert "3 partitions, 0 messages" in found["stream vitals: topic"]["detail"]
    assert "free" in found["stream vitals: group"]["detail"]
    broker.send(doctor.topic, [(i % 3, resources.pressure(f"o{i}", 120, 80)) for i in range(30)])
    found = doctor(expect=0)
    assert {row["result"] for check, row in found.items() if check.startswith("stream")} == {"ok"}
    assert "30 messages" in found["stream vitals: topic"]["detail"]
    assert "30 messages wait" in found["stream vitals: position"]["detail"]
    age = float(found["stream vitals: clock"]["detail"].split(" s ")[0].split()[-1])
    assert 0 <= age < 60, "broker and lake share this machine's clock"
    # Nobody joined: no group, no offsets.
    groups = [group.group_id for group in broker.admin.list_consumer_groups().result().valid]
    assert f"{doctor.topic}-readers" not in groups


def test_no_broker_and_no_topic(doctor, broker):
    (port,) = free_ports(1)
    found = doctor(brokers=f"127.0.0.1:{port}", expect=1)["stream vitals: broker"]
    assert found["result"] == "FAULT" and f"no broker answers at 127.0.0.1:{port}" in found["detail"]
    assert "check the address" in found["advice"]
    found = doctor(topic="nowhere", expect=1)["stream vitals: topic"]
    assert found["result"] == "FAULT" and "has no topic nowhere" in found["detail"] and "make it" in found["advice"]
    assert "nowhere" not in broker.admin.list_topics(timeout=5).topics, "looking makes no topic"


def test_without_the_right_to_read(doctor, broker):
    broker.create(doctor.topic)
    broker.send(doctor.topic, [(0, resources.pressure("o", 120, 80))])

    def permit(user, operation):
        acl = AclBinding(ResourceType.TOPIC, doctor.topic, ResourcePatternType.LITERAL, user, "*", operation, AclPermissionType.ALLOW)
        broker.admin.create_acls([acl])[acl].result()

    permit("User:other", AclOperation.READ)
    permit("User:ANONYMOUS", AclOperation.DESCRIBE)
    found = doctor(expect=1)
    assert found["stream vitals: topic"]["result"] == "ok"
    denied = found["stream vitals: permission"]
    assert denied["result"] == "FAULT" and "does not permit" in denied["detail"]
    assert f"the right to read topic {doctor.topic}" in denied["advice"]


def test_outbound_topics_and_rule_files(doctor, broker, tmp_path):
    broker.create(doctor.topic)
    broker.create(f"{doctor.topic}-alerts", 2)
    outbound = f"""outbound:
  kafka: {{brokers: "{broker.address}", alerts: {doctor.topic}-alerts, observations: nowhere}}
monitor: {{rules: {tmp_path}/rules}}
"""
    write(tmp_path / "rules/mine.yaml", "rule_set: mine\n")
    found = doctor(outbound, expect=1)
    assert "2 partitions" in found["outbound alerts"]["detail"] and found["outbound alerts"]["result"] == "ok"
    assert found["outbound observations"]["result"] == "FAULT" and "make it" in found["outbound observations"]["advice"]
    assert found["rules"]["result"] == "FAULT" and "mine.yaml" in found["rules"]["detail"] and found["rules"]["advice"]
    # It must say for whom it holds, and its limits must be ones that can be meant.
    limits = (ROOT / "rules/vital-limits.yaml").read_text().replace("name: vital-limits", "name: mine")
    for old, new, said in (("age: {from: 16}\n", "", "'age' is missing"), ("8867-4", "8867-X", "did you mean 8867-4?"),
                           ('unit: "%"', "unit: kg", "must be %"), ("at_least: 110.5", "at_least: 30", "must be below the high limit")):
        write(tmp_path / "rules/mine.yaml", limits.replace(old, new, 1))
        found = doctor(outbound, expect=1)["rules"]
        assert found["result"] == "FAULT" and f"{tmp_path}/rules/mine.yaml:" in found["detail"], found
        assert said in f'{found["detail"]}; {found["advice"]}', found
    (tmp_path / "rules/mine.yaml").unlink()
    assert "aha-acc-2025" in doctor(outbound)["rules"]["detail"]


def test_messages_that_retention_took(doctor, broker, tmp_path):
    from confluent_kafka import TopicPartition
    broker.create(doctor.topic)
    broker.send(doctor.topic, [(0, resources.pressure(f"o{i}", 120, 80)) for i in range(10)])
    from streams import Service
    service = Service(tmp_path, broker, doctor.topic)
    try:
        service.run_to_end()
        broker.send(doctor.topic, [(0, resources.pressure(f"p{i}", 120, 80)) for i in range(10)])
        assert "10 messages wait" in doctor(expect=0)["stream vitals: position"]["detail"]
        broker.admin.delete_records([TopicPartition(doctor.topic, 0, 15)])[TopicPartition(doctor.topic, 0, 15)].result()
        gone = doctor(expect=1)["stream vitals: position"]
        assert gone["result"] == "FAULT" and "5 messages are gone" in gone["detail"]
    finally:
        service.end()
