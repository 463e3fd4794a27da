"""The bus as udev shows it: what a stick consists of, and a testbed that makes it seen."""
