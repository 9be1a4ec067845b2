// Package routing decides where a request goes and what its replies mean together. It does no
// I/O: topologies, requests and replies come in as values, plans and combined replies go out.
package routing

import "bytes"

// SlotCount is the number of hash slots of a cluster.
const SlotCount = 16384

// Slot is a hash slot, 0..SlotCount-1.
type Slot uint16

// SlotRange is the slots First..Last, both included.
type SlotRange struct {
	First, Last Slot
}

var everySlot = SlotRange{0, SlotCount - 1}

// SlotOf hashes a key as the server does (Valkey cluster specification, "Key distribution
// model"): CRC16 of the key, or of its first {tag} where that is not empty. There is no second
// try: a key with an empty first tag is hashed whole.
func SlotOf(key []byte) Slot {
	if open := bytes.IndexByte(key, '{'); open >= 0 {
		if size := bytes.IndexByte(key[open+1:], '}'); size > 0 {
			key = key[open+1 : open+1+size]
		}
	}
	var crc uint16
	for len(key) >= 4 {
		crc ^= uint16(key[0])<<8 | uint16(key[1])
		crc = crcTables[3][crc>>8] ^ crcTables[2][crc&0xff] ^ crcTables[1][key[2]] ^ crcTables[0][key[3]]
		key = key[4:]
	}
	for _, b := range key {
		crc = crc<<8 ^ crcTables[0][byte(crc>>8)^b]
	}
	return Slot(crc % SlotCount)
}

// crcTables are of CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected. Table n
// holds the effect of a byte that n further bytes follow, so four bytes take one step together.
var crcTables = func() (tables [4][256]uint16) {
	for i := range tables[0] {
		crc := uint16(i) << 8
		for n := range tables {
			for range 8 {
				if crc&0x8000 != 0 {
					crc = crc<<1 ^ 0x1021
				} else {
					crc <<= 1
				}
			}
			tables[n][i] = crc
		}
	}
	return tables
}()
