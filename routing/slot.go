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
	for _, b := range key {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^b]
	}
	return Slot(crc % SlotCount)
}

// crcTable is of CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected.
var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()
