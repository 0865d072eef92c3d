"""One device on an I2C bus of the kernel's, spoken to by SMBus transfers, which every bus can."""

from __future__ import annotations

import array
import errno
import fcntl
import os
import struct
import sys

from piio_agent.interfaces.errors import ChannelBusy, DeviceFailed, DeviceMissing, InterfaceError, PermissionDenied

# linux/i2c-dev.h and linux/i2c.h
SLAVE, SMBUS = 0x0703, 0x0720
WRITE, READ = 0, 1
BYTE, BYTE_DATA, WORD_DATA = 1, 2, 3
BLOCK = 34  # what the kernel may write behind the pointer it is given

SILENT = (errno.ENXIO, errno.EREMOTEIO, errno.ETIMEDOUT)


class I2cDevice:
    """A device by its bus and address.

    The bus is opened for each transfer: that costs microseconds where a transfer costs hundreds, and keeps no adapter
    from being unplugged. What fails is an InterfaceError.
    """

    def __init__(self, bus: int, address: int) -> None:
        self.path = f"/dev/i2c-{bus}"
        self.label = f"{self.path} address {address:#04x}"
        self._address = address

    def read_byte(self) -> int:
        """A byte from a device that has no registers."""
        return self._transfer("reading", READ, 0, BYTE)

    def write_byte(self, value: int) -> None:
        """A byte to a device that has no registers."""
        self._transfer("writing", WRITE, value, BYTE)

    def read_register(self, register: int) -> int:
        """The byte in a register."""
        return self._transfer(f"reading register {register:#04x}", READ, register, BYTE_DATA)

    def write_register(self, register: int, value: int) -> None:
        """Put a byte into a register."""
        self._transfer(f"writing register {register:#04x}", WRITE, register, BYTE_DATA, value)

    def read_word(self, register: int) -> int:
        """The two bytes in a register, the more significant first, as most sensors send them."""
        return _swapped(self._transfer(f"reading register {register:#04x}", READ, register, WORD_DATA))

    def write_word(self, register: int, value: int) -> None:
        """Put two bytes into a register, the more significant first."""
        self._transfer(f"writing register {register:#04x}", WRITE, register, WORD_DATA, _swapped(value))

    def _transfer(self, doing: str, way: int, command: int, size: int, value: int = 0) -> int:
        width = 2 if size == WORD_DATA else 1
        data = array.array("B", value.to_bytes(width, sys.byteorder) + bytes(BLOCK - width))
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(fd, SLAVE, self._address)
                fcntl.ioctl(fd, SMBUS, struct.pack("BBIP", way, command, size, data.buffer_info()[0]))
            finally:
                os.close(fd)
        except OSError as reason:
            raise self._why(doing, reason) from reason
        return int.from_bytes(data[:width], sys.byteorder)

    def _why(self, doing: str, reason: OSError) -> InterfaceError:
        if reason.errno == errno.ENOENT:
            remedy = "switch I2C on (on a Raspberry Pi: sudo raspi-config nonint do_i2c 0, then reboot), or correct bus"
            return DeviceMissing(f"{self.path}: there is no such bus: {remedy}")
        if reason.errno in (errno.EACCES, errno.EPERM):
            return PermissionDenied(self.path, "i2c")
        if reason.errno == errno.EBUSY:
            return ChannelBusy(self.label, "a driver of the kernel")
        if reason.errno in SILENT:
            code = errno.errorcode[reason.errno or 0]
            return InterfaceError(
                reason.errno, f"{self.label} does not answer ({code}): see to its power, wiring and address pins"
            )
        return DeviceFailed(self.label, doing, reason)


def _swapped(word: int) -> int:
    """SMBus sends the less significant byte first."""
    return word >> 8 | (word & 0xFF) << 8
