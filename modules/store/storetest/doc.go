// Package storetest is the suite that every dialect of the store passes. Each Run
// function takes a way to open a fresh store and proves one part of its promises.
package storetest
