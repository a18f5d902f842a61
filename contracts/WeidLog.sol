// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// One ordered, append-only log of opaque entries. It knows no DID, no rule and no root: those are the registry's, so
/// nothing here ever needs an upgrade. What is stored and emitted, byte for byte: docs/spec/engines.md.
contract WeidLog {
    struct Mark {
        uint64 first;
        uint64 height;
    }

    /// The entries `first … first+count-1`; `head` commits to every batch up to this one.
    event Batch(uint64 indexed first, uint32 count, bytes32 head, bytes data);
    event Writer(address indexed account, bool allowed);
    event Owner(address indexed account);

    error Stale(uint64 size);
    error NotWriter();
    error NotOwner();
    error BadFraming();

    bytes32 public immutable genesis;
    address public owner;
    mapping(address => bool) public writers;

    bytes32 private _head;
    uint64 private _size;
    Mark[] private _marks;

    constructor(bytes32 genesis_) {
        genesis = genesis_;
        _head = genesis_;
        owner = msg.sender;
        writers[msg.sender] = true;
        emit Owner(msg.sender);
        emit Writer(msg.sender, true);
    }

    /// Compare and append: only if the log has exactly `expectFirst` entries.
    function append(uint64 expectFirst, uint32 count, bytes calldata data) external {
        if (_size != expectFirst) revert Stale(_size);
        _append(count, data);
    }

    function appendAny(uint32 count, bytes calldata data) external {
        _append(count, data);
    }

    function setWriter(address account, bool allowed) external {
        if (msg.sender != owner) revert NotOwner();
        writers[account] = allowed;
        emit Writer(account, allowed);
    }

    function setOwner(address account) external {
        if (msg.sender != owner) revert NotOwner();
        owner = account;
        emit Owner(account);
    }

    /// Size, head and number of batches, as of one block.
    function state() external view returns (uint64 size, bytes32 head, uint64 batches) {
        return (_size, _head, uint64(_marks.length));
    }

    /// Where batches `from …` begin and in which block each was appended; at most `limit` of them.
    function marks(uint256 from, uint256 limit) external view returns (Mark[] memory found) {
        uint256 end = _marks.length;
        if (from >= end) return new Mark[](0);
        if (limit < end - from) end = from + limit;
        found = new Mark[](end - from);
        for (uint256 n = from; n < end; n++) found[n - from] = _marks[n];
    }

    /// The chain's own hash of some bytes: a chain with national cryptography answers with SM3.
    function hashOf(bytes calldata data) external pure returns (bytes32) {
        return keccak256(data);
    }

    /// Entries follow each other, each after its length in two bytes, big-endian; a reader never has to guess.
    function _append(uint32 count, bytes calldata data) private {
        if (!writers[msg.sender]) revert NotWriter();
        uint256 offset = 0;
        uint256 found = 0;
        while (offset + 2 < data.length) {
            uint256 length = uint16(bytes2(data[offset:offset + 2]));
            if (length == 0) revert BadFraming();
            offset += 2 + length;
            found++;
        }
        if (offset != data.length || found != count || found == 0) revert BadFraming();
        _head = keccak256(abi.encode(_head, _size, count, keccak256(data)));
        _marks.push(Mark(_size, uint64(block.number)));
        emit Batch(_size, count, _head, data);
        _size += count;
    }
}
