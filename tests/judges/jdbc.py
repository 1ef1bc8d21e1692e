"""PostgreSQL's JDBC driver, driven from here through py4j: nothing has to be compiled."""

import pathlib

from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway

from product import ROOT


def jars():
    driver = next((ROOT / ".deps/pgjdbc").glob("postgresql-*.jar"))
    (bridge,) = pathlib.Path(ROOT / ".deps/venv/share/py4j").glob("py4j*.jar")
    return driver, bridge


class Jvm:
    """A virtual machine with the driver, at whose end it ends."""

    def __init__(self):
        driver, bridge = jars()
        port, token = launch_gateway(classpath=str(driver), jarpath=str(bridge), die_on_exit=True, enable_auth=True)
        self.gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token, auto_convert=True))

    def connect(self, port, **settings):
        properties = self.gateway.jvm.java.util.Properties()
        for name, value in {"user": "judge", **settings}.items():
            properties.setProperty(name, str(value))
        return self.gateway.jvm.org.postgresql.Driver().connect(f"jdbc:postgresql://127.0.0.1:{port}/lake", properties)

    def strings(self, *values):
        array = self.gateway.new_array(self.gateway.jvm.java.lang.String, len(values))
        for i, value in enumerate(values):
            array[i] = value
        return array

    def stop(self):
        self.gateway.shutdown()


def rows(result, *columns):
    """What is left of a ResultSet: the columns named, or all of them, as text."""
    names = columns or [result.getMetaData().getColumnLabel(i + 1) for i in range(result.getMetaData().getColumnCount())]
    found = []
    while result.next():
        found.append(tuple(result.getString(name) for name in names))
    result.close()
    return found
